"""The settings, the ground that every app stands on, and the names of the pages."""

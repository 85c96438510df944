"""The demo of a laptop: prepares it, runs it, tells its accounts. Installed there only, since it knows passwords."""

"""The outside world: registries and official files, in this app's own words."""

"""One believable co-op, for the first run, screenshots and story tests: Riverside Craft Co-op, its town and its season."""

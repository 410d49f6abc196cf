"""Every pool as the office sees it, and where it stands."""

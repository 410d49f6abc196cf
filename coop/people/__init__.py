"""Who: persons, households, roles, and signing in."""

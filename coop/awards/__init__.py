"""What each household got of a pool, and why."""

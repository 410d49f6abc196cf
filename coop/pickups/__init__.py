"""What is handed over: pickup points, pickups and hand-overs."""

"""The first page of each role: views and queries only."""

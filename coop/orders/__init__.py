"""What is wanted: pools, offerings, orders and their lines."""

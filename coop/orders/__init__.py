"""What is wanted: orders and their lines."""

"""What is brought in: a whole season from files, whole or nothing."""

"""What each maker sold and was paid in a year, for taxes."""

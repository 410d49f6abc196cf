"""What households pay for season shares, and when it becomes credit."""

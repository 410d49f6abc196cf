"""What becomes of a surplus: the bylaw, the dividend that two people decide on, and its payment."""

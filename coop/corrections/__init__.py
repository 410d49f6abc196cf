"""What becomes of a batch already shared out when its yield is corrected."""

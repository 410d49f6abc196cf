"""What the bank says of payments."""

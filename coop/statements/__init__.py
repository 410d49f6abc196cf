"""What makers are told about their pay: statements, and what the next payout will bring."""

"""What a payout run would pay, before anybody asks for it."""

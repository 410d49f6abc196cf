"""Handing a payout run's bank file to the bank, and what is known of whether the bank has it."""

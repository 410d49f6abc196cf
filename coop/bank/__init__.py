"""Money in: payments recorded by hand, bank statements and their matching."""

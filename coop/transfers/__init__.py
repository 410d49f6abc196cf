"""Approval, bank file, and what the bank says of it."""

"""Money: one append-only double-entry ledger that the database itself keeps balanced."""

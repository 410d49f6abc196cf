"""Where a household is paid what the co-op owes it."""

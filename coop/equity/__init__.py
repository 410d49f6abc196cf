"""Members' capital: what they paid in, what was retained of their dividends, and what the co-op buys back."""

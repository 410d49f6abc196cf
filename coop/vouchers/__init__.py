"""Entries by hand, for what no event books: one person writes them, another lets them count."""

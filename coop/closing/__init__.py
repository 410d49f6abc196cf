"""Closing the months of the books, and opening one again: two people, and nothing in the way."""

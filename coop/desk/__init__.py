"""The admin's desk: what needs doing today."""

"""The recipes of season shares, written into pools as wishes."""

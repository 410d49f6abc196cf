"""A sharing out that people decided elsewhere, brought in as decided; and lines that are cancelled before it is."""

"""What banks report of payment files: which payments they refused, before any money moved."""

"""Members as the co-op's office knows them: households, their shares, orders, awards and credit."""

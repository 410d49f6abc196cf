"""The co-op's own facts: its name, money, clock and bank account, and where pieces are fetched."""

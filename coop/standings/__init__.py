"""What each household is owed over a season, and what moves it besides the batches: who joins, leaves, merges, splits."""

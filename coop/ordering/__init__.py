"""The order page: a pool's batches, what a household asks of them, and what would come of it."""

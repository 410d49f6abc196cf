"""The order in which a pool's batches stand where they are ordered from."""

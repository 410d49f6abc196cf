"""What anyone may check: the proof of a published pool, and how to recompute it."""

"""What is put right after a hand-over: one ticked in error, pieces found bad, a co-op fee that changes."""

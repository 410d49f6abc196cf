"""Jars and bottles: who has them, what came back, what was forfeited, what stands at the co-op."""

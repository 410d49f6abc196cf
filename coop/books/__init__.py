"""The books: invariants, health, exports."""

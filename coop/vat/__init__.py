"""The tax in what the co-op sold and in the fees it took, by rate and time, for its tax return."""

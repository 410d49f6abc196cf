"""Background workers: each task is a doorbell answered by a command of the co-op."""

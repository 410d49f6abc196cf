"""Orders taken back for a household by the co-op, also after the cut-off, until the pool is shared out."""

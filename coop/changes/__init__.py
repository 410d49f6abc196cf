"""Awards changed by hand, as anyone may read of them."""

"""What households in need pay of a price, the hardship fund bearing the rest: granted by a treasurer or admin, private to them."""

"""What one statement tells its maker: the page, the paper, and what the maker asks about it."""

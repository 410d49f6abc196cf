"""Awards of a proposed outcome changed by hand, with a reason and a second person."""

"""A person's mail address, changed by a link sent to the new one, and taken back by one sent to the old."""

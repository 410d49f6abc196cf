"""Where all the money is: what the co-op has, against what it owes, owns and has earned."""

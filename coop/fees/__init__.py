"""What the co-op takes of a maker's sales from a day on: who sells, the fee and the taxes; a change takes two people."""

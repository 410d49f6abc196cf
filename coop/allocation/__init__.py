"""What is shared out: allocation runs, awards, standing, proofs."""

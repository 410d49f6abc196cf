"""Season shares taken, given up and waited for."""

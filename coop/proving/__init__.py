"""Proving that it is you: the second step of signing in, doing it afresh, and setting up what it takes."""

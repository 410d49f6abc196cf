"""Signing in and out, and the links that lead back in."""

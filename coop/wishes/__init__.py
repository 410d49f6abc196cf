"""Wishes: how many pieces of an offering a household would like, and up to how many it would take."""

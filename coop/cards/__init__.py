"""Payments by card: a page of the provider takes them, its signed messages book them. Off unless configured."""

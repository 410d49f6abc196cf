"""Payments of households, as they were recorded."""

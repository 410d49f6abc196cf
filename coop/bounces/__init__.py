"""Payments of households that the bank took back, noted by hand."""

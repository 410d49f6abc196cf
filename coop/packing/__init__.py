"""Packed: the lists and sheets that pickups are packed and handed over by."""

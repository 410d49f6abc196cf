"""Bytes in, values out, and back; no database."""

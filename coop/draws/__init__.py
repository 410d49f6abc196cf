"""What a pool promises before its orders open, and where the chance in its sharing out comes from."""

"""The measurements: each a ratio against a yardstick of the same run, on the same machine."""

"""The versions of a published sharing out: a new one takes over what it does not change, and books only the differences."""

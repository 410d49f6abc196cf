"""What stands in for what: the alternatives that a household names for a wish."""

"""The rule that some acts take two people, for the areas where they happen."""

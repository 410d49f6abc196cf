"""What a household has prepaid for its season shares, and what a person decides about it: credit early, another household's, sent back."""

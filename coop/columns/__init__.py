"""Which column of a bank's CSV files holds what: asked once, remembered by account and headings."""

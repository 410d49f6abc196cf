"""What every page shares: guards, forms, filters, headers."""

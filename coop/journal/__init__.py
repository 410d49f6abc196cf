"""The books entry by entry: the journal with its filters, one entry whole, each month's trial balance, and files of the ledger."""

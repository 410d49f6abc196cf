"""The treasurer's pages about payouts: preview, approval, bank file."""

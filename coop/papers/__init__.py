"""Invoices, receipts and credit notes for members: numbered without gaps, written once from the books, never changed."""

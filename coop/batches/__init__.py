"""What is made: batches, lot numbers, yield reports and releases."""

"""The publishing of a sharing out: from the decision to the books, the standings and the letters."""

"""The asking for a sharing out: which pool is next, by which rule, with whose yields."""

"""Balances as the outside world states them: counted, or read off an account, and held against the books."""

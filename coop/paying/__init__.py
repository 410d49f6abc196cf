"""How a household pays: what is due, to which account, with which reference, and the code to scan."""

"""A household's account as the treasurer keeps it, and the acts that start there; suppliers, shared costs, advances."""

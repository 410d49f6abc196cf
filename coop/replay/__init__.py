"""Money scenarios played through the co-op's own commands: worked cases for tests, and "what if" for a co-op's accountant."""

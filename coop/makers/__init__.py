"""As anyone sees them: makers, and their batches with the stories."""

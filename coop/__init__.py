"""Smallbatch: the suite on which local craft co-ops run."""

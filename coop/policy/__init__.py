"""What the co-op agreed: settings and policies as rows with effective dates."""

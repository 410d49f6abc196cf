"""Bank files by which the co-op pays its members: asked for by one person, approved and stored by a second."""

"""Allocation runs as the admin follows them: asked for, worked out, published or put aside."""

"""The co-op's arithmetic: pure, no framework, no clock, no database."""

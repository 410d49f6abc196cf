"""What happened: an append-only record of every act, sealed into a hash chain."""

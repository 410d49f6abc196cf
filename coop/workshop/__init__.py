"""The makers' own pages: their batches, the demand for each, and the report of a yield."""

"""What is offered: pools, and a batch in each offering."""

"""What a run froze, batch by batch, for whoever explains or checks it."""

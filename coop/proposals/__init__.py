"""What a worker proposes and a person decides on: a sharing out, a correction. The steps that all of them share."""

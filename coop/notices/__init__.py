"""What is said to people: one row a mail, delivered by a job."""

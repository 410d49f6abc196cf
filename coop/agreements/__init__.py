"""What is agreed with those who make: terms, and where they are paid."""

"""What is paid out: statements, payout runs, payments and bank files."""

"""Season shares paid monthly: expected instalments with their days, and reminders that stop when they are paid."""

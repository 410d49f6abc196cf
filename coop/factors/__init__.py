"""What a person has besides a password: an app's codes, passkeys, and recovery codes."""

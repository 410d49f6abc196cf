"""What a season shares out by: chosen by the admin before orders open, kept in versions, and fixed from then on."""

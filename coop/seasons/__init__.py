"""What is promised: seasons, share sizes, season shares and their waiting lists."""

"""The words of the `coop` command, a module for each part of the work."""

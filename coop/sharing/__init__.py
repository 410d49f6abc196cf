"""How a pool is shared out, as the admin sees it: before, while and after."""

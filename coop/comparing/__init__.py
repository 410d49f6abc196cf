"""One pool under several rules side by side, for admins: to judge the rule in force, never to choose another."""

"""The report on a season for the members' assembly: how full the wishes were, for whom, and what other rules would have done."""

"""What a season share costs that is taken after its season has begun: whole pieces of time, and money half up."""

from datetime import date
from typing import Final, NamedTuple

FULL: Final = "full"
REFUSE: Final = "refuse"
BY_POOLS: Final = "pools"
BY_DAYS: Final = "days"
WAYS: Final = (FULL, REFUSE, BY_POOLS, BY_DAYS)
"""What a co-op may choose: the full price, no share at all, or the part of the pools or of the days that are left."""


class Rest(NamedTuple):
    """How much of a season is left: so many of so many pools or days; 1 of 1 where the share costs its full price."""

    left: int
    whole: int

    def of(self, minor: int) -> int:
        """Return this part of a price, half up to the minor unit."""
        assert 0 <= self.left <= self.whole
        assert self.whole > 0
        return (2 * minor * self.left + self.whole) // (2 * self.whole)


WHOLE: Final = Rest(1, 1)


def days_left(today: date, starts: date, ends: date) -> Rest:
    """Count the days from today to the last one, both counted, of all days of the season."""
    return Rest((ends - today).days + 1, (ends - starts).days + 1)

"""When everything in the demo happened or will: all of it told from the day it is first started."""

from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from coop.core.season import Period, instant, local_day, month_of

ZONE: Final = "Europe/Dublin"
_EVENING = time(20)
_SEASONS = ("Winter", "Spring", "Summer", "Autumn")


class Window(NamedTuple):
    """One pool: when orders open and close, and the day of its pickup."""

    opens_at: datetime
    closes_at: datetime
    pickup_on: date


class Calendar(NamedTuple):
    """The demo's days, counted from `today`: below 0 is past."""

    today: date

    @classmethod
    def around(cls, at: datetime) -> "Calendar":
        """Lay the calendar around an instant."""
        return cls(local_day(at, ZONE))

    def day(self, away: int) -> date:
        """Return the day so many days away."""
        return self.today + timedelta(days=away)

    def at(self, away: int, hour: int = 10, minute: int = 0) -> datetime:
        """Return the instant at a local time so many days away; minutes beyond 59 run on into the next hours."""
        return instant(self.day(away), time(hour), ZONE) + timedelta(minutes=minute)

    @property
    def season(self) -> Period:
        """The season's first and last day: some five months, the third of which is on."""
        starts = self.day(-62).replace(day=1)
        return Period(starts, month_of(starts + timedelta(days=140)).ends)

    @property
    def season_name(self) -> str:
        """Such as Autumn 2026, by the month in which it starts."""
        starts = self.season.starts
        return f"{_SEASONS[starts.month % 12 // 3]} {starts.year}"

    @property
    def windows(self) -> tuple[Window, ...]:
        """The three pools: one that is over, one that waits to be shared out, one that takes orders."""
        days = ((-44, -37, -33), (-14, -5, 2), (-4, 3, 9))
        return tuple(
            Window(self.at(opens, 9), instant(self.day(closes), _EVENING, ZONE), self.day(pickup))
            for opens, closes, pickup in days
        )

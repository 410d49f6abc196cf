"""The co-op's calendar: what a local date and time mean as an instant, when a pool closes, and which month a day belongs to.

Where the clocks are turned, a local time can happen twice or not at all. The later of its two readings counts, so that a cut-off never comes
before anyone who read a clock on the wall expected it.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coop.core.errors import RuleBroken

LAST_SECOND = time(23, 59, 59)


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name, such as `Europe/London`. Raises `bad_timezone`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleBroken(
            "bad_timezone", f"“{name[:60]}” is no time zone we know; give one such as Europe/London."
        ) from None


def instant(day: date, at: time, zone: str) -> datetime:
    """Turn a local date and time into an aware UTC instant; a time that the clock change doubles or skips is read as the later."""
    local = datetime.combine(day, at, zone_named(zone))
    return max(local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def local_day(at: datetime, zone: str) -> date:
    """Say which day it is in the zone at that instant."""
    assert at.tzinfo is not None
    return at.astimezone(zone_named(zone)).date()


def is_open(opens: datetime, closes: datetime, at: datetime) -> bool:
    """Say whether an act at that instant is in time; the opening and the closing instant themselves are."""
    return opens <= at <= closes


def next_monthly(day_of_month: int, after: date) -> date:
    """Find the next day of a monthly habit after a day; in a month that is too short it is the last."""
    first = after.replace(day=1)
    here = first.replace(day=min(day_of_month, monthrange(first.year, first.month)[1]))
    if here > after:
        return here
    later = first + timedelta(days=31)
    return later.replace(day=min(day_of_month, monthrange(later.year, later.month)[1]))


class PoolWeek(NamedTuple):
    """The dates of a pool that is one ISO week: its days, the instants it opens and closes, and the day of its pickup."""

    monday: date
    sunday: date
    opens: datetime
    closes: datetime
    pickup: date


_YEARS = range(1970, 2200)
_ISO_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


def pool_week(cycle: str, zone: str) -> PoolWeek:
    """Lay out the pool of an ISO week `YYYY-Www`: open from Monday 00:00, closed on Sunday at 23:59:59, picked up the Wednesday after.

    Raises `bad_cycle`.
    """
    written = _ISO_WEEK.fullmatch(cycle)
    year, week = (int(written[1]), int(written[2])) if written else (0, 0)
    if year not in _YEARS or not 1 <= week <= date(year, 12, 28).isocalendar().week:
        raise RuleBroken("bad_cycle", f"“{cycle[:20]}” is no week; write the year and the ISO week, such as 2010-W48.")
    monday = date.fromisocalendar(year, week, 1)
    sunday = monday + timedelta(days=6)
    opens, closes = instant(monday, time(0), zone), instant(sunday, LAST_SECOND, zone)
    return PoolWeek(monday, sunday, opens, closes, pickup=monday + timedelta(days=9))


class Period(NamedTuple):
    """A period of the books, from its first to its last day."""

    starts: date
    ends: date


def month_of(day: date) -> Period:
    """Find the calendar month of a day."""
    return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def months_from(first: date, months: int) -> date:
    """Return the same day some months later, or the last of a month that is too short."""
    years, month = divmod(first.month - 1 + months, 12)
    year = first.year + years
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))

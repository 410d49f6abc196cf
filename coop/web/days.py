"""Days as people type them at the co-op's place: 23/11/2026 in Ireland, 23.11.2026 in Germany, 2026-11-23 everywhere."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from babel import Locale

EXAMPLE: Final = date(2026, 11, 23)
"""A day whose parts cannot be taken for one another."""


class Shape(NamedTuple):
    """The order of a day's parts, some of "d", "M" and "y", and what stands between them."""

    order: tuple[str, ...]
    between: str


@lru_cache(maxsize=64)
def shape_of(locale: str) -> Shape:
    """Find how a place writes its days in short: its order, and its mark between the parts."""
    pattern = Locale.parse(locale).date_formats["short"].pattern
    order = tuple(dict.fromkeys(re.findall("[dMy]", pattern)))
    between = next((mark for mark in re.findall(r"[^dMyG\s]", pattern) if mark in "./-"), "-")
    return Shape(order, between)


def write_day(day: date, locale: str) -> str:
    """Write a day as it would be typed."""
    parts = {"d": f"{day.day:02}", "M": f"{day.month:02}", "y": f"{day.year:04}"}
    shape = shape_of(locale)
    return shape.between.join(parts[part] for part in shape.order)


def read_day(typed: str, locale: str) -> date | None:
    """Read a day typed as the place writes it, with the year in full, or as year-month-day; None if it is no day."""
    whole = re.fullmatch("([0-9]{4})-([0-9]{2})-([0-9]{2})", typed)
    if whole is not None:
        return _day(*whole.groups())
    shape = shape_of(locale)
    widths = {"d": "{1,2}", "M": "{1,2}", "y": "{4}"}
    local = re.fullmatch(
        re.escape(shape.between).join(f"(?P<{part}>[0-9]{widths[part]})" for part in shape.order), typed
    )
    return None if local is None else _day(local["y"], local["M"], local["d"])


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None

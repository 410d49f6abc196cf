"""What time of the VAT report the address asks for; it is a page to look at, so nothing is refused: what cannot be is told."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import request

from coop.core.season import month_of, months_from
from coop.vat.queries import STEPS, WHATS, Asked
from coop.web.days import read_day, write_day
from coop.web.filters import today
from coop.web.reading import customs

LONGEST_YEARS: Final = 5


@dataclass(frozen=True, slots=True)
class Typed:
    """What is shown in the fields, and what of it was not understood."""

    since: str
    until: str
    step: str
    odd: list[str]


def asked() -> tuple[Asked, Typed]:
    """Return the time asked for, the quarter so far where it is none, and what to tell about it."""
    since, until, odd = _day("from"), _day("to"), []
    odd += [f"{_line(name)} is no day" for name in ("from", "to") if _line(name) and _day(name) is None]
    usual = quarter_of(today())
    if since is not None and until is not None:
        if until < since:
            odd.append("the last day lies before the first")
        elif until > months_from(since, 12 * LONGEST_YEARS):
            odd.append(f"a report covers at most {LONGEST_YEARS} years")
    elif since is not None or until is not None:
        odd.append("a report needs its first and its last day")
    step = request.args.get("step", "month")
    kept = Asked(since, until, "month") if since and until and not odd else usual
    kept = Asked(kept.since, kept.until, step if step in STEPS else "month")
    written = [write_day(one, customs().locale) for one in (kept.since, kept.until)]
    return kept, Typed(_line("from") or written[0], _line("to") or written[1], kept.step, odd)


def what() -> tuple[str, int]:
    """Return which figure's entries are looked for: fees without tax where it is none of ours."""
    asked_for, rate = request.args.get("what", ""), request.args.get("rate", "")
    is_rate = rate.isascii() and rate.isdigit() and len(rate) <= 4
    return (asked_for if asked_for in WHATS else "fees", int(rate) if is_rate else 0)


def quarter_of(day: date) -> Asked:
    """Return the quarter of a day."""
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return Asked(first, month_of(months_from(first, 2)).ends)


def _line(name: str) -> str:
    return " ".join(request.args.get(name, "").replace("\0", "").split())[:40]


def _day(name: str) -> date | None:
    found = read_day(_line(name), customs().locale)
    return found if found is None or 1970 < found.year < 2200 else None

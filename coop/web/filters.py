"""How pages write money, pieces, rates and times: by the co-op's own currency, language and zone."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask
from markupsafe import Markup, escape

from coop import clock
from coop.web.forms import new_key
from coop.web.reading import DEFAULT_CUSTOMS, Customs, customs
from coop.web.words import (
    PAYMENTS,
    PURPOSES,
    REASONS,
    RETURNABLES,
    ROLES,
    RULES,
    act_words,
    entry_words,
    fund_words,
    maker_entry,
    said,
)


def install(app: Flask) -> None:
    """Give the filters to all templates."""
    app.jinja_env.filters |= {"money": money, "pieces": pieces, "when": when, "day": day}
    app.jinja_env.filters |= {"month": month, "stretch": stretch, "percent_bp": percent_bp}
    app.jinja_env.globals |= {
        "said": said,
        "act_words": act_words,
        "entry_words": entry_words,
        "fund_words": fund_words,
        "maker_entry": maker_entry,
        "role_words": ROLES,
        "rule_words": RULES,
        "reason_words": REASONS,
        "purpose_words": PURPOSES,
        "payment_words": PAYMENTS,
        "returnable_words": RETURNABLES,
        "stretches": stretches,
    }
    app.jinja_env.globals["form_key"] = new_key


@lru_cache(maxsize=4096)
def stretches(made: int, wanted: int) -> tuple[float, float]:
    """Return how far a bar of supply and demand is covered, and how far it is short, in percent of the larger of the two."""
    whole = max(made, wanted, 1)
    return round(100 * min(made, wanted) / whole, 2), round(100 * max(wanted - made, 0) / whole, 2)


@lru_cache(maxsize=4096)
def write_money(minor: int, currency: str, locale: str, exponent: int) -> str:
    """Write minor units as an amount: €1,234.50."""
    return str(format_currency(Decimal(minor).scaleb(-exponent), currency, locale=locale))


def money(minor: int) -> str:
    """Write minor units in the co-op's currency."""
    here = customs()
    return write_money(minor, here.currency, here.locale, here.exponent)


def pieces(count: int) -> str:
    """Write a whole number with the thousands told apart."""
    return _write_count(count, customs().locale)


@lru_cache(maxsize=4096)
def _write_count(count: int, locale: str) -> str:
    return str(format_decimal(count, locale=locale))


def percent_bp(basis_points: int) -> str:
    """Write basis points as a percentage: 1250 is 12.5%."""
    return str(format_percent(Decimal(basis_points).scaleb(-4), locale=customs().locale, decimal_quantization=False))


def when(instant: datetime) -> Markup:
    """Write an instant in words and in the co-op's zone, with the exact instant for whoever asks."""
    here = customs()
    local = instant.astimezone(ZoneInfo(here.zone))
    words = f"{_day_words(local.date(), here)}, {format_time(local, 'short', locale=here.locale)}"
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return _time(instant.isoformat(), exact, words)


def day(of: date | datetime) -> Markup:
    """Write a day in words; an instant is brought to the co-op's zone first."""
    here = customs()
    local = of.astimezone(ZoneInfo(here.zone)).date() if isinstance(of, datetime) else of
    return _write_day(local, here.locale, this_year=local.year == today().year)


@lru_cache(maxsize=4096)
def _write_day(local: date, locale: str, *, this_year: bool) -> Markup:
    weekday = str(format_date(local, "EEEE", locale=locale))
    return _time(local.isoformat(), f"{weekday}, {local.isoformat()}", _write_day_words(local, locale, this_year))


def month(of: date) -> str:
    """Write a month in words: August 2026."""
    return str(format_skeleton("yMMMM", of, locale=Locale.parse(customs().locale)))


def stretch(starts: date, ends: date) -> str:
    """Write whole months in words: August 2026, or August 2026 to October 2026."""
    first, last = month(starts), month(ends)
    return first if first == last else f"{first} to {last}"


def today() -> date:
    """Return the day it is at the co-op."""
    return clock.now().astimezone(ZoneInfo(customs().zone)).date()


def _day_words(local: date, here: Customs = DEFAULT_CUSTOMS) -> str:
    return _write_day_words(local, here.locale, local.year == today().year)


@lru_cache(maxsize=4096)
def _write_day_words(local: date, locale: str, this_year: bool) -> str:
    skeleton = "MMMEd" if this_year else "yMMMd"
    return str(format_skeleton(skeleton, local, locale=Locale.parse(locale)))


def _time(machine: str, exact: str, words: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, exact, escape(words))

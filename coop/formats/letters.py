"""Letters from templates: a subject, plain text and the same as HTML, written in a sandbox that knows named values only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent

FOLDER = Path(__file__).parent.parent.parent / "templates" / "mail"
_SUBJECT = "Subject: "


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every letter of the co-op says alike. Links begin with `base_url` and nothing else."""

    name: str
    base_url: str
    currency: str
    locale: str
    zone: str

    def link(self, path: str) -> str:
        """Return the address of a page of ours; a path that would lead elsewhere is refused."""
        whole = self.base_url.rstrip("/") + "/" + path.lstrip("/")
        assert urlsplit(whole).netloc == urlsplit(self.base_url).netloc
        return whole

    def money(self, minor: int) -> str:
        amount = Decimal(minor).scaleb(-minor_exponent(self.currency))
        return str(format_currency(amount, self.currency, locale=self.locale))

    def percent(self, basis_points: int) -> str:
        rate = Decimal(basis_points).scaleb(-4)
        return str(format_percent(rate, locale=self.locale, decimal_quantization=False))

    def day(self, iso: str) -> str:
        return str(format_date(date.fromisoformat(iso[:10]), "EEEE d MMMM", locale=self.locale))

    def date(self, iso: str) -> str:
        """Write a day with its year, as papers do."""
        return str(format_date(date.fromisoformat(iso[:10]), "d MMMM y", locale=self.locale))

    def moment(self, iso: str) -> str:
        instant = datetime.fromisoformat(iso)
        return str(format_datetime(instant, "EEEE d MMMM, HH:mm", tzinfo=ZoneInfo(self.zone), locale=self.locale))


def write(template: str, values: Mapping[str, Any], house: House) -> Letter:
    """Write the letter `template` with named values; a value that is missing stops it, text in a value is only text."""
    if not re.fullmatch(r"[a-z_]+", template) or not (FOLDER / f"{template}.txt").exists():
        raise RuleBroken("unknown_letter", f"There is no letter called “{template[:40]}”.")
    named = {
        **values,
        "coop": house.name,
        "link": house.link,
        "money": house.money,
        "day": house.day,
        "moment": house.moment,
        "date": house.date,
        "percent": house.percent,
    }
    subject, _, text = _desk().get_template(f"{template}.txt").render(named).partition("\n")
    assert subject.startswith(_SUBJECT), f"{template}.txt must begin with its subject"
    html = _desk().get_template(f"{template}.html").render(named)
    return Letter(subject.removeprefix(_SUBJECT).strip(), text.strip() + "\n", html)


@cache
def _desk() -> Environment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

"""What is looked for in the journal, and why an entry is reversed."""

from datetime import date

from flask import request

from coop.journal.queries import Asked
from coop.web.days import read_day
from coop.web.fields import TextLine
from coop.web.forms import CoopForm
from coop.web.reading import customs


class ReverseForm(CoopForm):
    reason = TextLine("Why", most=200, description="It stays in the books with the entry that undoes this one.")


def asked() -> Asked:
    """Return what the address asks for; whatever is no number, day or party asks for nothing."""
    return Asked(
        account=_number("account"),
        party=_line("party"),
        period_id=_number("period"),
        kind=_line("kind"),
        words=_line("q"),
        since=_day("from"),
        until=_day("to"),
    )


def not_understood() -> list[str]:
    """Return the days that were typed and are none, to be told about."""
    return [_line(name) for name in ("from", "to") if _line(name) and _day(name) is None]


def _line(name: str) -> str:
    return " ".join(request.args.get(name, "").replace("\0", "").split())[:120]


def _number(name: str) -> int | None:
    typed = request.args.get(name, "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 9 else None


def _day(name: str) -> date | None:
    return read_day(_line(name), customs().locale)

"""What is asked about documents: which are written, in whose name, to what address, and which are looked for."""

from datetime import date
from typing import Final

from flask import request
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.documents.queries import KINDS, Sought
from coop.papers.service import ADDRESS_LINES, Habit
from coop.web.days import read_day
from coop.web.fields import DayField, TextBlock, TextLine
from coop.web.forms import CoopForm
from coop.web.paging import sought as words_sought
from coop.web.reading import customs

_WHEN: Final = [
    SelectChoice("none", "none"),
    SelectChoice("on_request", "when a member asks"),
    SelectChoice("always", "always, by themselves"),
]
_LINES: Final = f"Street and town, at most {ADDRESS_LINES} lines."


class HabitForm(CoopForm):
    invoices = RadioField("Invoices, of what was fetched", choices=_WHEN, default="none")
    receipts = RadioField("Receipts, of what was paid in", choices=_WHEN, default="none")
    since = DayField("For what happened from", description="What lies before gets no document.")

    def settled(self) -> Habit:
        """Return what the form says."""
        return Habit(self.invoices.data, self.receipts.data, self.since.data)


class SellerForm(CoopForm):
    legal_name = TextLine("Legal name")
    address = TextBlock("Address", most=400, description=_LINES)
    tax_number = TextLine(
        "Tax number", most=40, optional=True, description="Empty where the seller is not liable for tax."
    )


class AddressForm(CoopForm):
    address = TextBlock("Under your household's name", most=400, optional=True, description=_LINES)


def sought() -> Sought:
    """Return what the address asks for; whatever is no kind or no day asks for nothing."""
    kind = request.args.get("kind", "")
    return Sought(kind if kind in KINDS else "", words_sought(), _day("from"), _day("to"))


def not_understood() -> list[str]:
    """Return the days that were typed and are none, to be told about."""
    return [_line(name) for name in ("from", "to") if _line(name) and _day(name) is None]


def _line(name: str) -> str:
    return " ".join(request.args.get(name, "").split())[:40]


def _day(name: str) -> date | None:
    return read_day(_line(name), customs().locale)

"""A few documents of the demo: its member has a receipt and an invoice, and may ask for more."""

from typing import Final

from coop.demo.people import HOUSEHOLDS, MEMBER
from coop.demo.town import POLICIES, Town
from coop.papers import queries
from coop.papers import service as papers
from coop.papers.service import Habit

_INVOICED: Final = "Quay Street Pottery"
"""The maker that agreed to invoices in its name."""


def write_documents(town: Town) -> None:
    """Name the sellers, let members ask, and let the member ask for one receipt and the invoice of the first pickup."""
    begun, member, asked = town.calendar.at(-30), town.persons[MEMBER], town.calendar.at(-18)
    for artisan_id, name, address in (
        (None, POLICIES["coop_name"], "3 Mill Yard\nRiverside"),
        (town.artisans[_INVOICED], _INVOICED, "8 Quay Street\nRiverside"),
    ):
        said = {"legal_name": name, "address": address, "tax_number": "", "key": f"seller {name}"}
        papers.name_seller(town.db, artisan_id, by=town.treasurer, at=begun, **said)
    habit = Habit("on_request", "on_request", town.calendar.day(-120))
    papers.settle_habit(town.db, habit, by=town.treasurer, at=begun, key="documents")
    home = next(town.households[one.name] for one in HOUSEHOLDS if MEMBER in one.people)
    papers.ask_invoices(town.db, home, town.calendar.day(-33).replace(day=1), by=member, at=asked, key="invoice")
    with town.db() as session:
        first, *_ = queries.paid(session, home, habit.since, town.calendar.today)
    assert first.entry_id is not None, "a payment is an entry"
    papers.ask_receipt(town.db, home, first.entry_id, by=member, at=asked, key="receipt")

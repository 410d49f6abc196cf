"""A payment of a household, and what would bear it if the bank took it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.dealings import Source, taken_back
from coop.core.errors import NotFound
from coop.core.ledger import (
    BANK,
    CHART,
    GOODWILL,
    HARDSHIP_FUND,
    MEMBER_CAPITAL,
    MEMBER_CREDIT,
    OWED_BY_MEMBER,
    RESERVE,
    SHARE_PREPAID,
    household_party,
)
from coop.ledger import service as ledger

OWN: Final = {"share": SHARE_PREPAID, "capital": MEMBER_CAPITAL}
"""Where the household's own money of a payment stands first."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """An account that would bear a part; `code` is its number."""

    code: int
    name: str
    minor: int


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """A payment that came in; `is_undone` where it was taken back or reversed before."""

    id: int
    household_id: int
    household: str
    purpose: str
    amount_minor: int
    received_on: date
    reference: str
    is_undone: bool
    bearers: list[Bearer]


_PAYMENT = text("""
SELECT p.id, p.household_id, h.name, p.purpose, p.amount_minor, p.received_on, p.reference,
       EXISTS (SELECT FROM entry e WHERE e.reverses_id = p.entry_id OR e.key = 'bounced:' || p.id) AS is_undone
  FROM recorded_payment p JOIN household h ON h.id = p.household_id WHERE p.id = :id
""")


def payment_page(session: Session, payment_id: int) -> PaymentPage:
    """Return a payment with what would bear it."""
    row = session.execute(_PAYMENT, {"id": payment_id}).first()
    if row is None:
        raise NotFound
    fund = -ledger.balance_of(session, HARDSHIP_FUND, "")
    sources, rest = sources_of(session, row.purpose, row.household_id, fund=fund)
    postings = taken_back(row.amount_minor, sources, rest=rest, bank_fee=0)
    borne = [Bearer(code, CHART[code].name, minor) for code, _, minor, _ in postings if code != BANK]
    told: tuple[Any, ...] = (*row, borne)
    return PaymentPage(*told)


def sources_of(
    session: Session, purpose: str, household_id: int, *, fund: int
) -> tuple[Sequence[Source], tuple[int, str]]:
    """Return what bears a payment that is taken back, each as far as it goes in this order, and the account that bears the rest.

    A household never owes a gift: what the hardship fund no longer has is written off, and the reserve bears its own.
    """
    party = household_party(household_id)
    if purpose == "gift":
        return [Source(HARDSHIP_FUND, "", fund)], (GOODWILL, "")
    if purpose == "reserve":
        return [], (RESERVE, "")
    codes = [*([OWN[purpose]] if purpose in OWN else []), MEMBER_CREDIT]
    return [Source(code, party, -ledger.balance_of(session, code, party)) for code in codes], (OWED_BY_MEMBER, party)

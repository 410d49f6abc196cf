"""Pay households what the co-op owes them of its own: capital bought back, and the cash part of a dividend."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.dealings import refund_prepared
from coop.core.dividend import bought_back
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    ALLOCATED_EQUITY,
    MEMBER_CAPITAL,
    MEMBER_CREDIT,
    Entry,
    household_party,
    household_payment_party,
)
from coop.core.money import format_minor, minor_exponent
from coop.core.payout import payout_settled
from coop.core.season import local_day
from coop.db import Db, locked, take_ids
from coop.equity.models import HouseholdPayment
from coop.ledger import service as ledger
from coop.people import service as people
from coop.people.models import Household
from coop.policy import service as policy

BOUGHT_BACK = {"capital": MEMBER_CAPITAL, "retained": ALLOCATED_EQUITY}
"""What can be bought back, and the account it stands on."""


class Owed(NamedTuple):
    """What is to be sent to a household."""

    household_id: int
    minor: int


class Confirmed(NamedTuple):
    """A line of a bank statement by which money left: its end-to-end id, what left (above 0), the day, and the bank's key."""

    end_to_end_id: str
    minor: int
    booked_on: date
    key: str


def buy_back(
    db: Db, household_id: int, minor: int, *, reason: str, by: int, at: datetime, key: str, of: str = "capital"
) -> int:
    """Buy capital, or retained dividends (`of` = "retained"), back from a household that may have left; return the payment.

    Raises `must_be_positive`, `more_than_held` and `reason_missing`.
    """
    body = {"act": "buyback", "household": household_id, "minor": minor, "of": of, "reason": reason}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if session.get(Household, household_id, with_for_update=True) is None:
            raise NotFound("There is no such household.")
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say why it is bought back: it stays in the books.", field="reason")
        agreed = policy.all_current(session, at=at)
        party, code = household_party(household_id), BOUGHT_BACK[of]
        held = -ledger.balance_of(session, code, party)
        if minor <= 0:
            raise RuleBroken("must_be_positive", "Give an amount above zero.", field="amount")
        if minor > held:
            told = f"{format_minor(held, minor_exponent(agreed['currency']))} {agreed['currency']}"
            raise RuleBroken("more_than_held", f"This household has {told} of it; give at most that.", field="amount")
        payment = new_payments(session, "buyback", [Owed(household_id, minor)], at=at)[0]
        postings = bought_back(party, household_payment_party(payment.id), minor, code=code)
        entry = Entry(f"buyback:{by}:{key}", "buyback", local_day(at, agreed["zone"]), postings, reason.strip())
        payment.sent_entry_id = ledger.post(session, entry, by=by, currency=agreed["currency"])
        audit.record(session, "buy_back", by=by, subject=("household", household_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=payment.id)
        return payment.id


def refund_by_file(db: Db, household_id: int, minor: int, *, by: int, at: datetime, key: str) -> int:
    """Take credit that is to be paid back to a household by the next bank file; return the payment.

    Raises `must_be_positive` and `insufficient_credit`.
    """
    body = {"act": "refund_by_file", "household": household_id, "minor": minor}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        people.lock_household(session, household_id)
        agreed = policy.all_current(session, at=at)
        party = household_party(household_id)
        credit = -ledger.balance_of(session, MEMBER_CREDIT, party)
        if minor <= 0:
            raise RuleBroken("must_be_positive", "Give an amount above zero.", field="amount")
        if minor > credit:
            told = f"{format_minor(credit, minor_exponent(agreed['currency']))} {agreed['currency']}"
            raise RuleBroken("insufficient_credit", f"There is {told} of credit; give at most that.", field="amount")
        payment = new_payments(session, "refund", [Owed(household_id, minor)], at=at)[0]
        postings = refund_prepared(party, household_payment_party(payment.id), minor)
        entry = Entry(f"refund_by_file:{by}:{key}", "refund_prepared", local_day(at, agreed["zone"]), postings)
        payment.sent_entry_id = ledger.post(session, entry, by=by, currency=agreed["currency"])
        audit.record(session, "refund_by_file", by=by, subject=("household", household_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=payment.id)
        return payment.id


def new_payments(session: Session, purpose: str, owed: Sequence[Owed], *, at: datetime) -> list[HouseholdPayment]:
    """Prepare payments to households, in their order; whoever asks for them books them as sent."""
    ids = take_ids(session, "household_payment", len(owed))
    made = [
        HouseholdPayment(
            id=payment_id,
            household_id=one.household_id,
            purpose=purpose,
            amount_minor=one.minor,
            end_to_end_id=f"SBH{payment_id}",
            made_at=at,
        )
        for payment_id, one in zip(ids, owed, strict=True)
    ]
    session.add_all(made)
    session.flush()
    return made


def note_paid(db: Db, payment_id: int, *, on: date, by: int, at: datetime, key: str) -> int:
    """Note by hand that the bank sent a payment; return the entry. Raises `payout_not_in_transit` and `future_date`."""
    body = {"act": "household_paid", "payment": payment_id, "on": on.isoformat()}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment = locked(session, HouseholdPayment, payment_id, called="payment")
        if payment.settled_on is not None or payment.sent_entry_id is None:
            raise RuleBroken("payout_not_in_transit", "This payment is not on its way: the bank has sent it already.")
        agreed = policy.all_current(session, at=at)
        if on > local_day(at, agreed["zone"]):
            raise RuleBroken("future_date", "Note it once the bank has sent it: today or earlier.", field="on")
        paid = {f"paid:household:{payment_id}": (payment, on)}
        (entry_id,) = _settle(session, paid, by=by, currency=agreed["currency"]).values()
        audit.record(session, "note_paid", by=by, subject=("household_payment", payment_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=entry_id)
        return entry_id


def settle_by_hand(session: Session, payment_ids: Sequence[int], *, on: date, by: int, currency: str) -> None:
    """Settle payments on their way as a treasurer says who saw them leave; the caller holds them."""
    found = session.scalars(select(HouseholdPayment).where(HouseholdPayment.id.in_(payment_ids)).order_by(HouseholdPayment.id))  # fmt: skip
    _settle(session, {f"paid:household:{payment.id}": (payment, on) for payment in found}, by=by, currency=currency)


def settle_confirmed(session: Session, confirmed: Sequence[Confirmed], *, by: int, currency: str) -> dict[str, int]:
    """Settle the payments to households that a bank statement confirms; return the entries by the bank's key."""
    ids = [line.end_to_end_id for line in confirmed]
    asked = select(HouseholdPayment).where(
        HouseholdPayment.end_to_end_id.in_(ids), HouseholdPayment.settled_on.is_(None)
    )
    waiting = {one.end_to_end_id: one for one in session.scalars(asked.order_by(HouseholdPayment.id).with_for_update())}
    paid: dict[str, tuple[HouseholdPayment, date]] = {}
    for line in confirmed:
        payment = waiting.get(line.end_to_end_id)
        if payment is not None and payment.amount_minor == line.minor:
            paid[line.key] = (waiting.pop(line.end_to_end_id), line.booked_on)
    return _settle(session, paid, by=by, currency=currency)


def _settle(
    session: Session, paid: Mapping[str, tuple[HouseholdPayment, date]], *, by: int, currency: str
) -> dict[str, int]:
    entries = [
        Entry(key, "household_paid", on, payout_settled(household_payment_party(payment.id), payment.amount_minor))
        for key, (payment, on) in paid.items()
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (payment, on), entry_id in zip(paid.values(), entry_ids, strict=True):
        payment.settled_on, payment.settled_entry_id = on, entry_id
    session.flush()
    return dict(zip(paid, entry_ids, strict=True))

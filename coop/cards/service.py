"""Begin a payment by card, and book what the provider says became of it: each message once, in whatever order they come."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.cards.models import CardMessage, CardPayment
from coop.core.dealings import charged_back
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    BANK,
    CARD_TRANSIT,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    SHARE_PREPAID,
    Entry,
    Posting,
    household_party,
)
from coop.core.season import local_day
from coop.db import Db
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.ports.cards import OTHER, PAID, REFUNDED, CardEvent, StripeCards

MOST_MINOR = 100_000_000
PURPOSES = ("share", "credit", "gift")


def begin(db: Db, household_id: int, *, purpose: str, minor: int, by: int, at: datetime, key: str) -> int:
    """Note that a household wants to pay by card; return the payment. Raises `bad_amount` and `bad_purpose`."""
    with db.begin() as session:
        body = {"act": "card_payment", "household": household_id, "purpose": purpose, "minor": minor}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not 0 < minor <= MOST_MINOR:
            raise RuleBroken("bad_amount", "Enter an amount above 0 and at most 1,000,000.00.", field="amount")
        if purpose not in PURPOSES:
            raise RuleBroken("bad_purpose", "Choose what it is for.", field="purpose")
        people.lock_household(session, household_id)
        payment = CardPayment(
            household_id=household_id,
            purpose=purpose,
            amount_minor=minor,
            currency=policy.current(session, "currency", at=at),
            begun_at=at,
            begun_by=by,
        )
        session.add(payment)
        session.flush()
        audit.record(session, "card_payment", by=by, subject=("card_payment", payment.id), detail=body)
        keys.answer(session, by=by, key=key, row_id=payment.id)
        return payment.id


def open_page(db: Db, cards: StripeCards, payment_id: int, *, back_to: str, at: datetime) -> None:
    """Ask the provider for the payment's page, once. Asked again after a fault it is the same page. Raises `cards_away`."""
    with db.begin() as session:
        payment = session.get_one(CardPayment, payment_id)
        if payment.session_ref is not None:
            return
        told: dict[str, Any] = {"minor": payment.amount_minor, "currency": payment.currency}
        words = str(policy.current(session, "coop_name", at=at))
    page = cards.checkout(number=payment_id, words=words, back_to=back_to, **told)
    with db.begin() as session:
        payment = session.get_one(CardPayment, payment_id, with_for_update=True)
        payment.session_ref, payment.url = page.session_ref, page.url


def hear(db: Db, event: CardEvent, *, at: datetime) -> str:
    """Book what a message says, once; return what became of it. What comes before its payment is known waits for it."""
    with db.begin() as session:
        session.execute(text("LOCK TABLE card_message IN SHARE ROW EXCLUSIVE MODE"))
        heard = session.scalar(select(CardMessage).where(CardMessage.event_ref == event.id))
        if heard is not None:
            return heard.outcome
        told = {"kind": event.kind, "session_ref": event.session_ref, "payment_ref": event.payment_ref}
        sums = {"minor": event.minor, "fee_minor": event.fee_minor, "currency": event.currency}
        message = CardMessage(event_ref=event.id, outcome="ignored", heard_at=at, **told, **sums)
        session.add(message)
        if event.kind != OTHER:
            _take_up(session, message, at=at)
        session.flush()
        if event.kind == PAID and message.outcome == "booked":
            early = select(CardMessage).where(
                CardMessage.payment_ref == event.payment_ref, CardMessage.outcome == "parked"
            )
            for parked in session.scalars(early.order_by(CardMessage.id)):
                _take_up(session, parked, at=at)
        return message.outcome


def _take_up(session: Session, message: CardMessage, *, at: datetime) -> None:
    """Book one message; what does not fit is kept with its reason, for a person to look at."""
    known = CardPayment.session_ref == message.session_ref if message.kind == PAID else CardPayment.payment_ref == message.payment_ref  # fmt: skip
    payment = session.scalar(select(CardPayment).where(known).with_for_update())
    if payment is None:
        message.outcome = "refused: unknown payment page" if message.kind == PAID else "parked"
        return
    if message.currency != payment.currency:
        message.outcome = "refused: currency"
        return
    agreed = policy.all_current(session, at=at)
    on = local_day(at, agreed["zone"])
    try:
        people.lock_household(session, payment.household_id)
    except NotFound:
        message.outcome = "refused: household left"
        return
    if message.kind == PAID:
        message.outcome = _book_paid(session, payment, message, on=on, at=at, currency=agreed["currency"])
    else:
        message.outcome = _book_back(session, payment, message, on=on, currency=agreed["currency"])


def _book_paid(
    session: Session, payment: CardPayment, message: CardMessage, *, on: date, at: datetime, currency: str
) -> str:
    """Book a payment: money in transit from the provider, for a share as far as one is owed, else credit or a gift."""
    if payment.entry_id is not None:
        return "ignored"
    if message.minor != payment.amount_minor:
        return "refused: amount"
    party, minor = household_party(payment.household_id), payment.amount_minor
    owed = instalments.owed_by(session, {payment.household_id})[payment.household_id]
    for_share = min(minor, owed) if payment.purpose == "share" else 0
    rest = Posting(MEMBER_CREDIT, party, for_share - minor)
    if payment.purpose == "gift":
        rest = Posting(HARDSHIP_FUND, "", -minor)
    parts = (Posting(CARD_TRANSIT, "", minor), Posting(SHARE_PREPAID, party, -for_share), rest)
    entry = Entry(f"card:{payment.id}", "card_paid", on, tuple(one for one in parts if one.amount))
    payment.entry_id = ledger.post(session, entry, by=0, currency=currency)
    payment.payment_ref = message.payment_ref
    if for_share:
        instalments.release_of(session, {payment.household_id}, by=0, at=at)
    _record(session, "card_paid", payment, {"entry": payment.entry_id})
    return "booked"


def _book_back(session: Session, payment: CardPayment, message: CardMessage, *, on: date, currency: str) -> str:
    """Book what was given or taken back: from the household's credit as far as it goes, the rest it owes."""
    minor, key, kind = message.minor, f"cb:{message.event_ref}", "card_chargeback"
    if message.minor > payment.amount_minor:
        return "refused: amount"
    if message.kind == REFUNDED:
        minor, key = message.minor - payment.given_back_minor, f"card:{payment.id}:back:{message.minor}"
        kind, payment.given_back_minor = "card_refund", max(message.minor, payment.given_back_minor)
    if minor <= 0:
        return "ignored"
    party = household_party(payment.household_id)
    credit = -ledger.balance_of(session, MEMBER_CREDIT, party)
    postings = charged_back(party, minor, credit=credit, bank_fee=message.fee_minor)
    moved = tuple(one._replace(account_code=CARD_TRANSIT) if one.account_code == BANK else one for one in postings)
    entry_id = ledger.post(session, Entry(key, kind, on, moved), by=0, currency=currency)
    _record(session, kind, payment, {"entry": entry_id, "event": message.event_ref})
    return "booked"


def _record(session: Session, act: str, payment: CardPayment, detail: dict[str, Any]) -> None:
    audit.record(session, act, by=0, subject=("card_payment", payment.id), detail=detail)

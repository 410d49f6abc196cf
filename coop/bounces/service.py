"""Note by hand that the bank took a household's payment back: a returned direct debit, a transfer that bounced."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.bounces.queries import sources_of
from coop.core.dealings import taken_back
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import MEMBER_CREDIT, OWED_BY_MEMBER, Entry
from coop.core.money import AMOUNT_LIMIT
from coop.core.season import local_day
from coop.db import Db
from coop.incoming.models import RecordedPayment
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy

KIND: Final = "chargeback"


def note_bounced(
    db: Db, payment_id: int, *, on: date, reason: str, bank_fee: int = 0, by: int, at: datetime, key: str
) -> int:
    """Note that a payment was taken back; return the entry.

    What it paid for gives it back as far as it can, then the household's credit; the rest it owes. What is taken from credit
    of a share is due for that share again. The bank's charge is the co-op's. Raises `reason_missing`, `future_date`,
    `before_payment`, `must_be_positive` and `already_reversed`.
    """
    with db.begin() as session:
        body = {"act": "payment_bounced", "payment": payment_id, "on": on.isoformat(), "bank_fee": bank_fee}
        body |= {"reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        agreed = policy.all_current(session, at=at)
        today = local_day(at, agreed["zone"])
        payment = _locked(session, payment_id)
        _check(payment, on, reason, bank_fee, today=today)
        fund = ledger.hold_fund(session) if payment.purpose == "gift" else 0
        people.lock_household(session, payment.household_id)
        if _is_undone(session, payment):
            raise RuleBroken("already_reversed", "This payment was taken back or reversed already.")
        sources, rest = sources_of(session, payment.purpose, payment.household_id, fund=fund)
        postings = taken_back(payment.amount_minor, sources, rest=rest, bank_fee=bank_fee)
        entry = Entry(f"bounced:{payment_id}", KIND, on, postings, reason.strip())
        entry_id = ledger.post(session, entry, by=by, currency=agreed["currency"])
        taken = {code: minor for code, _, minor, _ in postings}
        if payment.share_id is not None and taken.get(MEMBER_CREDIT):
            instalments.owe_again(session, payment.share_id, taken[MEMBER_CREDIT], due_on=today)
        told = {"amount_minor": payment.amount_minor, "received_on": payment.received_on.isoformat()}
        told |= {"reason": reason.strip(), "owed_minor": taken.get(OWED_BY_MEMBER, 0)}
        people.tell_household(session, f"bounced:{payment_id}", "payment_bounced", payment.household_id, told)
        audit.record(session, "payment_bounced", by=by, subject=("household", payment.household_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=entry_id)
        return entry_id


def _locked(session: Session, payment_id: int) -> RecordedPayment:
    payment = session.scalar(select(RecordedPayment).where(RecordedPayment.id == payment_id).with_for_update())
    if payment is None:
        raise NotFound("There is no such payment.")
    return payment


def _check(payment: RecordedPayment, on: date, reason: str, bank_fee: int, *, today: date) -> None:
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why the bank took it back: the household reads it.", field="reason")
    if on > today:
        raise RuleBroken("future_date", "Note it once the bank has taken it back: today or earlier.", field="on")
    if on < payment.received_on:
        raise RuleBroken("before_payment", f"It came in on {payment.received_on:%d %B %Y}; give that day or a later one.", field="on")  # fmt: skip
    if not 0 <= bank_fee <= AMOUNT_LIMIT:
        raise RuleBroken("must_be_positive", "The bank's charge is 0 or more.", field="bank_fee")


def _is_undone(session: Session, payment: RecordedPayment) -> bool:
    if ledger.reversal_of(session, payment.entry_id) is not None:
        return True
    return ledger.has_key(session, f"bounced:{payment.id}")

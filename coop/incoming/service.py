"""Record a payment for its household: as a treasurer says, or as is suggested for a receipt that nobody knew."""

from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import BANK, UNIDENTIFIED_RECEIPTS, Entry, Posting, credit_paid_in, household_party
from coop.core.season import local_day
from coop.db import Db
from coop.incoming.models import RecordedPayment
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.receipts import queries as receipts
from coop.receipts.service import remember

MOST_BY_HAND_MINOR = 100_000_000


def record_payment(
    db: Db,
    household_id: int,
    *,
    amount_minor: int,
    received_on: date,
    reference: str,
    by: int,
    at: datetime,
    key: str,
    share_id: int | None = None,
) -> int:
    """Record money that arrived for a household: for its season share, or else as credit to order with.

    Raises `bad_amount`, `future_date`, `period_closed` or `duplicate_reference`.
    """
    with db.begin() as session:
        body = {
            "act": "record_payment",
            "household": household_id,
            "minor": amount_minor,
            "on": received_on,
            "ref": reference,
            "share": share_id,
        }
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment_id = _record(
            session,
            household_id,
            share_id=share_id,
            amount_minor=amount_minor,
            received_on=received_on,
            reference=reference,
            by=by,
            at=at,
        )
        keys.answer(session, by=by, key=key, row_id=payment_id)
        return payment_id


def confirm_suggestion(db: Db, line_id: int, *, household_id: int, by: int, at: datetime, key: str) -> int:
    """Record a receipt that nobody knew for the household that is suggested for it; return the payment.

    Raises `inputs_changed` where another is suggested by now, or the receipt is known.
    """
    with db.begin() as session:
        body = {"act": "confirm_suggestion", "line": line_id, "household": household_id}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        line = session.execute(_LINE, {"id": line_id}).first()
        if line is None:
            raise NotFound("There is no such line on a bank statement.")
        asked = receipts.Asked(line.id, line.name, line.payer_hash, line.amount_minor)
        found = receipts.suggestions(session, [asked]).get(line_id)
        waits = session.execute(_UNIDENTIFIED, {"ref": line.reference, "minor": line.amount_minor}).first()
        if waits is None or found is None or found.household_id != household_id:
            raise RuleBroken("inputs_changed", "This receipt is looked at differently by now. Load the page again.")
        payment_id = _record(
            session,
            household_id,
            share_id=found.share_id,
            amount_minor=line.amount_minor,
            received_on=line.booked_on,
            reference=line.reference,
            by=by,
            at=at,
        )
        keys.answer(session, by=by, key=key, row_id=payment_id)
        return payment_id


def _record(
    session: Session,
    household_id: int,
    *,
    share_id: int | None,
    amount_minor: int,
    received_on: date,
    reference: str,
    by: int,
    at: datetime,
) -> int:
    session.execute(text("LOCK TABLE recorded_payment IN SHARE ROW EXCLUSIVE MODE"))
    agreed = policy.all_current(session, at=at)
    _check_payment(session, amount_minor, received_on, reference, today=local_day(at, agreed["zone"]))
    people.lock_household(session, household_id)
    entry_key = f"bank:hand:{reference}"
    if share_id is not None:
        entry_id = instalments.share_paid(
            session, share_id, amount_minor, household_id=household_id, on=received_on, key=entry_key, by=by, at=at
        )
    else:
        paid = credit_paid_in({household_party(household_id): amount_minor})
        entry_id = ledger.post(
            session, Entry(entry_key, "top_up", received_on, paid), by=by, currency=agreed["currency"]
        )
    payment = RecordedPayment(
        household_id=household_id,
        share_id=share_id,
        purpose="credit" if share_id is None else "share",
        amount_minor=amount_minor,
        received_on=received_on,
        reference=reference,
        entry_id=entry_id,
        recorded_by=by,
        recorded_at=at,
    )
    session.add(payment)
    session.flush()
    _take_from_unidentified(session, payment, by=by, currency=agreed["currency"])
    audit.record(session, "record_payment", by=by, subject=("household", household_id), detail={"payment": payment.id})
    return payment.id


def _check_payment(session: Session, amount_minor: int, received_on: date, reference: str, *, today: date) -> None:
    if not 0 < amount_minor <= MOST_BY_HAND_MINOR:
        raise RuleBroken("bad_amount", "Enter an amount above 0 and at most 1,000,000.00.", field="amount")
    if received_on > today:
        raise RuleBroken(
            "future_date", "A payment is recorded once it has arrived: today or earlier.", field="received_on"
        )
    if session.scalar(select(RecordedPayment.id).where(RecordedPayment.reference == reference)):
        raise RuleBroken(
            "duplicate_reference",
            "A payment with this reference is recorded already. Check whether it is the same one.",
            field="reference",
        )


def _take_from_unidentified(session: Session, payment: RecordedPayment, *, by: int, currency: str) -> None:
    """Where a bank statement brought this very money in before, take it from the receipts that nobody knew."""
    line = session.execute(_UNIDENTIFIED, {"ref": payment.reference, "minor": payment.amount_minor}).first()
    if line is not None:
        known = Posting(UNIDENTIFIED_RECEIPTS, "", payment.amount_minor), Posting(BANK, "", -payment.amount_minor)
        entry = Entry(f"resolve:{line.id}", "receipt_identified", payment.received_on, known)
        ledger.post(session, entry, by=by, currency=currency)
        if line.payer_hash:
            remember(session, [(line.payer_hash, payment.household_id, payment.received_on)])


_UNIDENTIFIED = text("""
SELECT b.id, b.payer_hash FROM bank_line b JOIN entry e ON e.id = b.entry_id AND e.kind = 'unidentified_receipt'
 WHERE b.reference = :ref AND b.amount_minor = :minor AND NOT EXISTS (SELECT FROM entry r WHERE r.key = 'resolve:' || b.id)
""")

_LINE = text("SELECT id, reference, amount_minor, booked_on, name, payer_hash FROM bank_line WHERE id = :id FOR UPDATE")

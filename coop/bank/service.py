"""Take in what the bank says: payments recorded by hand, and statements that settle what was sent."""

import hashlib
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.bank.models import BankLine, BankStatement, RecordedPayment
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK, UNIDENTIFIED_RECEIPTS, Entry, Posting, credit_paid_in, household_party
from coop.core.season import local_day
from coop.db import Db
from coop.formats import camt
from coop.ledger import service as ledger
from coop.payouts import service as payouts
from coop.people import service as people
from coop.policy import service as policy
from coop.seasons import service as seasons

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
            "household": household_id,
            "minor": amount_minor,
            "on": received_on,
            "ref": reference,
            "share": share_id,
        }
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        agreed = policy.all_current(session, at=at)
        _check_payment(session, amount_minor, received_on, reference, today=local_day(at, agreed["zone"]))
        people.lock_household(session, household_id)
        entry_key = f"bank:hand:{reference}"
        if share_id is not None:
            entry_id = seasons.share_paid(
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
        audit.record(
            session, "record_payment", by=by, subject=("household", household_id), detail={"payment": payment.id}
        )
        keys.answer(session, by=by, key=key, row_id=payment.id)
        return payment.id


def import_statement(db: Db, content: bytes, *, by: int, at: datetime) -> int:
    """Take in a camt.053 statement whole and settle the payments it confirms; the same file again changes nothing.

    Receipts that nobody expected wait on their own account; lines seen before are left out.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    with db.begin() as session:
        known = session.scalar(select(BankStatement.id).where(BankStatement.sha256 == sha256))
        if known is not None:
            return known
        agreed = policy.all_current(session, at=at)
        parsed = camt.read_camt053(content, iban=agreed["coop_iban"], currency=agreed["currency"])
        statement = BankStatement(
            sha256=sha256,
            bytes=content,
            statement_reference=parsed.reference,
            opening_minor=parsed.opening_minor,
            closing_minor=parsed.closing_minor,
            closes_on=parsed.closes_on,
            imported_by=by,
            imported_at=at,
        )
        session.add(statement)
        session.flush()
        _book_lines(session, statement.id, parsed, by=by, at=at, agreed=agreed)
        audit.record(
            session, "import_statement", by=by, subject=("bank_statement", statement.id), detail={"sha256": sha256}
        )
        return statement.id


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


def _book_lines(
    session: Session, statement_id: int, parsed: camt.BankStatement, *, by: int, at: datetime, agreed: dict[str, str]
) -> None:
    seen = set(
        session.scalars(
            select(BankLine.reference).where(BankLine.reference.in_([line.reference for line in parsed.lines]))
        )
    )
    fresh = [line for line in parsed.lines if line.reference not in seen]
    settled = payouts.settle_confirmed(
        session,
        [
            payouts.Confirmed(line.end_to_end_id, -line.minor, line.booked_on, f"bank:{parsed.iban}:{line.reference}")
            for line in fresh
            if line.minor < 0 and line.end_to_end_id
        ],
        by=by,
        at=at,
        currency=agreed["currency"],
    )
    receipts = [line for line in fresh if line.minor > 0]
    unexpected = ledger.post_all(
        session,
        [
            Entry(
                f"bank:{parsed.iban}:{line.reference}",
                "unidentified_receipt",
                line.booked_on,
                (Posting(BANK, "", line.minor), Posting(UNIDENTIFIED_RECEIPTS, "", -line.minor)),
            )
            for line in receipts
        ],
        by=by,
        currency=agreed["currency"],
    )
    booked = {line.reference: entry_id for line, entry_id in zip(receipts, unexpected, strict=True)}
    session.add_all(
        BankLine(
            statement_id=statement_id,
            reference=line.reference,
            amount_minor=line.minor,
            booked_on=line.booked_on,
            end_to_end_id=line.end_to_end_id or None,
            words=line.text,
            entry_id=booked.get(line.reference) or settled.get(line.end_to_end_id or ""),
        )
        for line in fresh
    )

"""Take in what the bank says: payments recorded by hand, and statements that settle what was sent."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.bank.models import BankLine, BankStatement, RecordedPayment
from coop.confirmations import service as confirmations
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import BANK, UNIDENTIFIED_RECEIPTS, Entry, Posting, bank_charged, credit_paid_in, household_party
from coop.core.season import local_day
from coop.db import Db
from coop.formats.bank_files import read_statement
from coop.formats.bank_statement import BankLine as StatementLine
from coop.formats.bank_statement import BankStatement as ReadStatement
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.receipts.service import book_named

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
        audit.record(
            session, "record_payment", by=by, subject=("household", household_id), detail={"payment": payment.id}
        )
        keys.answer(session, by=by, key=key, row_id=payment.id)
        return payment.id


def import_statement(db: Db, content: bytes, *, by: int, at: datetime) -> int:
    """Take in a statement whole (camt.053, MT940, OFX) and settle the payments it confirms; the same file again changes nothing.

    Payments that came back are owed again; receipts recorded by hand before are recognised, those with a payment reference
    are booked for their household; others wait on their own account. Lines seen before are left out.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    with db.begin() as session:
        session.execute(text("LOCK TABLE bank_statement, recorded_payment IN SHARE ROW EXCLUSIVE MODE"))
        known = session.scalar(select(BankStatement.id).where(BankStatement.sha256 == sha256))
        if known is not None:
            return known
        agreed = policy.all_current(session, at=at)
        if not agreed["coop_iban"]:
            raise RuleBroken(
                "no_bank_account", "The co-op's own bank account is not set yet. An admin adds it under Settings."
            )
        _, parsed = read_statement(content, iban=agreed["coop_iban"], currency=agreed["currency"])
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


def book_charge(db: Db, line_id: int, *, by: int, at: datetime) -> int:
    """Book money that left, and that nothing of ours asked for, as the bank's charges; return the entry. Repeating it changes nothing."""
    with db.begin() as session:
        line = session.get(BankLine, line_id, with_for_update=True)
        if line is None:
            raise NotFound("There is no such line on a bank statement.")
        kind = session.scalar(text("SELECT kind FROM entry WHERE id = :id"), {"id": line.entry_id})
        if line.entry_id is not None and kind == "bank_charge":
            return line.entry_id
        if line.entry_id is not None or line.amount_minor >= 0 or line.end_to_end_id is not None:
            raise RuleBroken(
                "no_charge", "Only money that left the account, and that nobody knows, can be a bank charge."
            )
        agreed = policy.all_current(session, at=at)
        key = f"bank:{agreed['coop_iban']}:{line.reference}"
        charge = Entry(key, "bank_charge", line.booked_on, bank_charged(-line.amount_minor), line.words)
        line.entry_id = ledger.post(session, charge, by=by, currency=agreed["currency"])
        audit.record(session, "book_charge", by=by, subject=("bank_line", line_id), detail={"entry": line.entry_id})
        return line.entry_id


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


_UNIDENTIFIED = text("""
SELECT b.id FROM bank_line b JOIN entry e ON e.id = b.entry_id AND e.kind = 'unidentified_receipt'
 WHERE b.reference = :ref AND b.amount_minor = :minor AND NOT EXISTS (SELECT FROM entry r WHERE r.key = 'resolve:' || b.id)
""")


def _book_lines(
    session: Session, statement_id: int, parsed: ReadStatement, *, by: int, at: datetime, agreed: dict[str, Any]
) -> None:
    seen = set(
        session.scalars(
            select(BankLine.reference).where(BankLine.reference.in_([line.reference for line in parsed.lines]))
        )
    )
    fresh = {f"bank:{parsed.iban}:{line.reference}": line for line in parsed.lines if line.reference not in seen}
    said = [
        confirmations.Confirmed(line.end_to_end_id, abs(line.minor), line.booked_on, key, line.text)
        for key, line in fresh.items()
        if line.end_to_end_id
    ]
    currency = agreed["currency"]
    left = [one for one in said if fresh[one.key].minor < 0]
    booked = confirmations.settle_confirmed(session, left, by=by, at=at, currency=currency)
    came_back = [one for one in said if fresh[one.key].minor > 0]
    booked |= confirmations.take_back_returned(session, came_back, by=by, currency=currency)
    booked |= _recorded_before(session, {key: line for key, line in fresh.items() if key not in booked})
    unknown = {key: line for key, line in fresh.items() if line.minor > 0 and key not in booked}
    named = _book_named(session, unknown, by=by, at=at, currency=currency)
    booked |= named
    unknown = {key: line for key, line in unknown.items() if key not in named}
    booked |= _book_unidentified(session, unknown, by=by, currency=currency)
    session.add_all(
        BankLine(
            statement_id=statement_id,
            reference=line.reference,
            amount_minor=line.minor,
            booked_on=line.booked_on,
            end_to_end_id=line.end_to_end_id or None,
            words=line.text,
            name=line.name,
            entry_id=booked.get(key),
        )
        for key, line in fresh.items()
    )


def _book_named(
    session: Session, unknown: Mapping[str, StatementLine], *, by: int, at: datetime, currency: str
) -> dict[str, int]:
    """Book receipts that name their household by its payment reference; one recorded by hand with another amount is left to a person."""
    references = [line.reference for line in unknown.values()]
    taken = set(session.scalars(select(RecordedPayment.reference).where(RecordedPayment.reference.in_(references))))
    free = {key: line for key, line in unknown.items() if line.reference not in taken}
    named = book_named(session, free, by=by, at=at, currency=currency)
    session.add_all(
        RecordedPayment(
            household_id=one.household_id,
            share_id=one.share_id,
            purpose=one.purpose,
            amount_minor=unknown[key].minor,
            received_on=unknown[key].booked_on,
            reference=unknown[key].reference,
            entry_id=one.entry_id,
            recorded_by=by,
            recorded_at=at,
        )
        for key, one in named.items()
    )
    return {key: one.entry_id for key, one in named.items()}


def _recorded_before(session: Session, receipts: Mapping[str, StatementLine]) -> dict[str, int]:
    """Recognise receipts that a treasurer recorded by hand, by the bank's reference and the amount."""
    references = [line.reference for line in receipts.values()]
    known = {
        (row.reference, row.amount_minor): row.entry_id
        for row in session.scalars(select(RecordedPayment).where(RecordedPayment.reference.in_(references)))
    }
    found = {key: known.get((line.reference, line.minor)) for key, line in receipts.items()}
    return {key: entry_id for key, entry_id in found.items() if entry_id is not None}


def _book_unidentified(
    session: Session, receipts: Mapping[str, StatementLine], *, by: int, currency: str
) -> dict[str, int]:
    entries = [
        Entry(
            key,
            "unidentified_receipt",
            line.booked_on,
            (Posting(BANK, "", line.minor), Posting(UNIDENTIFIED_RECEIPTS, "", -line.minor)),
        )
        for key, line in receipts.items()
    ]
    return dict(zip(receipts, ledger.post_all(session, entries, by=by, currency=currency), strict=True))

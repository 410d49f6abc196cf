"""Take in what the bank says: statements that settle what was sent, and receipts with a payment reference."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.bank.models import BankLine, BankStatement
from coop.columns import service as waiting
from coop.confirmations import service as confirmations
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK, UNIDENTIFIED_RECEIPTS, Entry, Posting
from coop.db import Db, copy_rows
from coop.equity import service as equity
from coop.formats.bank_csv import Columns, read_table
from coop.formats.bank_files import CSV, kind_of, read_statement
from coop.formats.bank_statement import BankLine as StatementLine
from coop.formats.bank_statement import BankStatement as ReadStatement
from coop.incoming.models import RecordedPayment
from coop.ledger import service as ledger
from coop.outgoing import queries as outgoing
from coop.policy import service as policy
from coop.receipts.service import Booked, book_named, remember
from coop.sealing import VERSION, keyed_hash, seal

FILE: Final = "bank statement"
"""The purpose under which a statement's file is sealed."""


def import_statement(
    db: Db,
    content: bytes,
    *,
    by: int,
    at: datetime,
    field_key: bytes,
    columns: Columns | None = None,
    closing_minor: int | None = None,
) -> int:
    """Take in a statement whole (camt.053, MT940, OFX, CSV) and settle the payments it confirms; the same file again changes nothing.

    Payments that came back are owed again; receipts recorded by hand before are recognised, those with a payment reference
    are booked for their household; others wait on their own account. Lines seen before are left out.
    The columns of a CSV file are those given, which are then remembered, or those remembered of such files: else `columns_needed`.
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
        parsed = _read(session, content, columns, closing_minor, agreed=agreed, by=by, at=at)
        statement = BankStatement(
            sha256=sha256,
            sealed=seal(content, field_key, purpose=FILE),
            statement_reference=parsed.reference,
            opening_minor=parsed.opening_minor,
            closing_minor=parsed.closing_minor,
            closes_on=parsed.closes_on,
            imported_by=by,
            imported_at=at,
        )
        session.add(statement)
        session.flush()
        _book_lines(session, statement.id, parsed, by=by, at=at, agreed=agreed, field_key=field_key)
        waiting.drop(session, sha256)
        _seal_earlier(session, field_key)
        audit.record(
            session, "import_statement", by=by, subject=("bank_statement", statement.id), detail={"sha256": sha256}
        )
        return statement.id


def _read(
    session: Session,
    content: bytes,
    columns: Columns | None,
    closing_minor: int | None,
    *,
    agreed: dict[str, Any],
    by: int,
    at: datetime,
) -> ReadStatement:
    ours = {"iban": agreed["coop_iban"], "currency": agreed["currency"]}
    if kind_of(content) != CSV:
        return read_statement(content, **ours)[1]
    headings, iban = read_table(content).headings, ours["iban"]
    said = columns or waiting.known(session, headings, iban=iban)
    _, parsed = read_statement(content, columns=said, closing_minor=closing_minor, **ours)
    if columns is not None:
        waiting.remember(session, headings, columns, iban=iban, by=by, at=at)
    return parsed


def _seal_earlier(session: Session, field_key: bytes) -> None:
    """Seal files that were taken in before files were sealed."""
    plain = func.substring(BankStatement.sealed, 1, 1) != VERSION
    for earlier in session.scalars(select(BankStatement).where(plain)):
        earlier.sealed = seal(earlier.sealed, field_key, purpose=FILE)


def _book_lines(
    session: Session,
    statement_id: int,
    parsed: ReadStatement,
    *,
    by: int,
    at: datetime,
    agreed: dict[str, Any],
    field_key: bytes,
) -> None:
    seen = set(
        session.scalars(
            select(BankLine.reference).where(BankLine.reference.in_([line.reference for line in parsed.lines]))
        )
    )
    fresh = {f"bank:{parsed.iban}:{line.reference}": line for line in parsed.lines if line.reference not in seen}
    said = [
        confirmations.Confirmed(line.end_to_end_id, abs(line.minor), line.booked_on, key, line.text, line.reason)
        for key, line in fresh.items()
        if line.end_to_end_id
    ]
    currency = agreed["currency"]
    left = [one for one in said if fresh[one.key].minor < 0]
    booked = confirmations.settle_confirmed(session, left, by=by, at=at, currency=currency)
    own = [
        equity.Confirmed(one.end_to_end_id, one.amount_minor, one.booked_on, one.key)
        for one in left
        if one.key not in booked
    ]
    booked |= equity.settle_confirmed(session, own, by=by, currency=currency)
    came_back = [one for one in said if fresh[one.key].minor > 0]
    booked |= confirmations.take_back_returned(session, came_back, by=by, currency=currency)
    booked |= _noted_before(session, {key: line for key, line in fresh.items() if key not in booked})
    booked |= _recorded_before(session, {key: line for key, line in fresh.items() if key not in booked})
    unknown = {key: line for key, line in fresh.items() if line.minor > 0 and key not in booked}
    named = _book_named(session, unknown, by=by, at=at, currency=currency)
    booked |= {key: one.entry_id for key, one in named.items()}
    payers = {
        key: keyed_hash(line.iban, field_key, purpose="payer account") for key, line in fresh.items() if line.iban
    }
    remember(
        session,
        [(payers[key], one.household_id, fresh[key].booked_on) for key, one in named.items() if key in payers],
    )
    unknown = {key: line for key, line in unknown.items() if key not in named}
    booked |= _book_unidentified(session, unknown, by=by, currency=currency)
    columns = ("statement_id", "reference", "amount_minor", "booked_on", "end_to_end_id", "words", "name", "payer_hash")
    copy_rows(
        session,
        "bank_line",
        (*columns, "iban_ending", "entry_id"),
        (
            (
                statement_id,
                line.reference,
                line.minor,
                line.booked_on,
                line.end_to_end_id or None,
                line.text,
                line.name,
                payers.get(key),
                line.iban[-4:],
                booked.get(key),
            )
            for key, line in fresh.items()
        ),
    )


def _book_named(
    session: Session, unknown: Mapping[str, StatementLine], *, by: int, at: datetime, currency: str
) -> dict[str, Booked]:
    """Book receipts that name their household by its payment reference; one recorded by hand with another amount is left to a person."""
    references = [line.reference for line in unknown.values()]
    taken = set(session.scalars(select(RecordedPayment.reference).where(RecordedPayment.reference.in_(references))))
    free = {key: line for key, line in unknown.items() if line.reference not in taken}
    named = book_named(session, free, by=by, at=at, currency=currency)
    columns = ("household_id", "share_id", "purpose", "amount_minor", "received_on", "reference", "entry_id")
    copy_rows(
        session,
        "recorded_payment",
        (*columns, "recorded_by", "recorded_at"),
        (
            (
                one.household_id,
                one.share_id,
                one.purpose,
                unknown[key].minor,
                unknown[key].booked_on,
                unknown[key].reference,
                one.entry_id,
                by,
                at,
            )
            for key, one in named.items()
        ),
    )
    return named


def _recorded_before(session: Session, receipts: Mapping[str, StatementLine]) -> dict[str, int]:
    """Recognise receipts that a treasurer recorded by hand, by the bank's reference and the amount."""
    references = [line.reference for line in receipts.values()]
    known = {
        (row.reference, row.amount_minor): row.entry_id
        for row in session.scalars(select(RecordedPayment).where(RecordedPayment.reference.in_(references)))
    }
    found = {key: known.get((line.reference, line.minor)) for key, line in receipts.items()}
    return {key: entry_id for key, entry_id in found.items() if entry_id is not None}


def _noted_before(session: Session, lines: Mapping[str, StatementLine]) -> dict[str, int]:
    """Recognise what a treasurer noted by hand: payouts by their end-to-end id, other acts where just one fits the amount and day."""
    ids = [line.end_to_end_id for line in lines.values() if line.end_to_end_id]
    payouts = outgoing.payouts_noted(session, ids) if ids else {}
    found = {key: payouts.get((line.end_to_end_id or "", line.minor)) for key, line in lines.items()}
    left = [key for key, line in lines.items() if line.minor < 0 and found[key] is None and not line.end_to_end_id]
    asked = [outgoing.Line(n, lines[key].minor, lines[key].booked_on, lines[key].name) for n, key in enumerate(left)]
    alone = {left[n]: entry_id for n, entry_id in outgoing.noted_alone(session, asked).items()}
    return {key: entry_id for key, entry_id in found.items() if entry_id is not None} | alone


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

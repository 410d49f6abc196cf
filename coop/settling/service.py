"""What a person says of one line of a bank statement: that it was noted before, pays a bill, came back, or is the bank's charge."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.bank.models import BankLine
from coop.core.dealings import supplier_paid
from coop.core.errors import RuleBroken
from coop.core.ledger import BANK, BANK_FEES, CARD_TRANSIT, UNIDENTIFIED_RECEIPTS, Entry, Posting, bank_charged
from coop.db import Db, locked
from coop.ledger import service as ledger
from coop.outgoing.queries import CAME_BACK, NOTED, SUPPLIER, Line, Meaning, meanings
from coop.policy import service as policy


def book_charge(db: Db, line_id: int, *, by: int, at: datetime) -> int:
    """Book money that left, and that nothing of ours asked for, as the bank's charges; return the entry. Repeating it changes nothing."""
    with db.begin() as session:
        line = _locked(session, line_id)
        kind = session.scalar(text("SELECT kind FROM entry WHERE id = :id"), {"id": line.entry_id})
        if line.entry_id is not None and kind == "bank_charge":
            return line.entry_id
        if line.entry_id is not None or line.amount_minor >= 0 or line.end_to_end_id is not None:
            raise RuleBroken(
                "no_charge", "Only money that left the account, and that nobody knows, can be a bank charge."
            )
        agreed = policy.all_current(session, at=at)
        charge = Entry(_key(line, agreed), "bank_charge", line.booked_on, bank_charged(-line.amount_minor), line.words)
        line.entry_id = ledger.post(session, charge, by=by, currency=agreed["currency"])
        audit.record(session, "book_charge", by=by, subject=("bank_line", line_id), detail={"entry": line.entry_id})
        return line.entry_id


def settle_line(db: Db, line_id: int, *, kind: str, row_id: int, by: int, at: datetime) -> int:
    """Let a line be what it may be: noted by hand before, a supplier's bill, or money of ours that came back; return the entry.

    Repeating it changes nothing. Raises `inputs_changed` where it cannot be that (any more).
    """
    with db.begin() as session:
        session.execute(text("LOCK TABLE bank_statement IN SHARE ROW EXCLUSIVE MODE"))
        line = _locked(session, line_id)
        asked = Line(line.id, line.amount_minor, line.booked_on, line.name)
        found = meanings(session, [asked]).get(line_id, ()) if _is_open(session, line) else ()
        meaning = next((one for one in found if (one.kind, one.row_id) == (kind, row_id)), None)
        if meaning is None:
            if (earlier := _settled_so(session, line, kind, row_id)) is not None:
                return earlier
            raise RuleBroken("inputs_changed", "This line is looked at differently by now. Load the page again.")
        entry_id = _settle(session, line, meaning, by=by, agreed=policy.all_current(session, at=at))
        detail = {"kind": kind, "row": row_id, "entry": entry_id}
        audit.record(session, "settle_line", by=by, subject=("bank_line", line_id), detail=detail)
        return entry_id


def book_card_payout(db: Db, line_id: int, *, fee_minor: int, by: int, at: datetime) -> int:
    """Let a receipt be what the card provider passed on, less its charges; return the entry. Repeating it changes nothing.

    Raises `bad_amount`, `more_than_in_transit`, and `inputs_changed` where the receipt is known by now.
    """
    with db.begin() as session:
        session.execute(text("LOCK TABLE bank_statement IN SHARE ROW EXCLUSIVE MODE"))
        line, key = _locked(session, line_id), f"resolve:{line_id}"
        done: int | None = session.scalar(
            text("SELECT id FROM entry WHERE key = :key AND kind = 'card_payout'"), {"key": key}
        )
        if done is not None:
            return done
        if line.entry_id is None or line.amount_minor <= 0 or not _is_open(session, line):
            raise RuleBroken("inputs_changed", "This line is looked at differently by now. Load the page again.")
        gross = line.amount_minor + fee_minor
        if fee_minor < 0:
            raise RuleBroken("bad_amount", "The charges are 0 or more.", field="fee")
        if gross > int(session.scalar(_IN_TRANSIT, {"code": CARD_TRANSIT})):
            raise RuleBroken("more_than_in_transit", "The provider has less than this for us; look the charges up once more.", field="fee")  # fmt: skip
        parts = Posting(UNIDENTIFIED_RECEIPTS, "", line.amount_minor), Posting(BANK_FEES, "", fee_minor)
        moved = (*(one for one in parts if one.amount), Posting(CARD_TRANSIT, "", -gross))
        currency = policy.current(session, "currency", at=at)
        entry_id = ledger.post(session, Entry(key, "card_payout", line.booked_on, moved), by=by, currency=currency)
        detail = {"entry": entry_id, "fee": fee_minor}
        audit.record(session, "card_payout", by=by, subject=("bank_line", line_id), detail=detail)
        return entry_id


def _settle(session: Session, line: BankLine, meaning: Meaning, *, by: int, agreed: dict[str, Any]) -> int:
    if meaning.kind == NOTED:
        line.entry_id = meaning.row_id  # booked when it was noted
        return meaning.row_id
    if meaning.kind == SUPPLIER:
        party = session.execute(text("SELECT party FROM account WHERE id = :id"), {"id": meaning.row_id}).scalar_one()
        postings = supplier_paid(party, -line.amount_minor)
        bill = Entry(_key(line, agreed), "supplier_paid", line.booked_on, postings, line.words)
        line.entry_id = ledger.post(session, bill, by=by, currency=agreed["currency"])
        return line.entry_id
    assert meaning.kind == CAME_BACK
    sent = session.get_one(BankLine, meaning.row_id, with_for_update=True)
    assert sent.entry_id is not None
    owed = [one._replace(amount=-one.amount) for one in ledger.stored(session, sent.entry_id).postings]
    took_in = [Posting(UNIDENTIFIED_RECEIPTS, "", line.amount_minor)]
    back = (*took_in, *(one for one in owed if one.account_code != BANK))
    entry = Entry(f"resolve:{line.id}", "sent_back", line.booked_on, back, line.words)
    line.returns_id = sent.id
    return ledger.post(session, entry, by=by, currency=agreed["currency"])


def _settled_so(session: Session, line: BankLine, kind: str, row_id: int) -> int | None:
    """Return the entry of a line that was settled in this very way before."""
    if kind == NOTED and line.entry_id == row_id:
        return row_id
    if kind == SUPPLIER and line.entry_id is not None:
        paid = text(
            "SELECT e.id FROM entry e JOIN posting p ON p.entry_id = e.id AND p.account_id = :account"
            " WHERE e.id = :entry AND e.kind = 'supplier_paid'"
        )
        entry_id: int | None = session.scalar(paid, {"entry": line.entry_id, "account": row_id})
        return entry_id
    if kind == CAME_BACK and line.returns_id == row_id:
        back: int | None = session.scalar(text("SELECT id FROM entry WHERE key = :key"), {"key": f"resolve:{line.id}"})
        return back
    return None


def _is_open(session: Session, line: BankLine) -> bool:
    if line.entry_id is None:
        return True
    waits = text(
        "SELECT true FROM entry e WHERE e.id = :entry AND e.kind = 'unidentified_receipt'"
        " AND NOT EXISTS (SELECT FROM entry k WHERE k.key = :key)"
    )
    return bool(session.scalar(waits, {"entry": line.entry_id, "key": f"resolve:{line.id}"}))


def _locked(session: Session, line_id: int) -> BankLine:
    return locked(session, BankLine, line_id, called="line on a bank statement")


_IN_TRANSIT = text(
    "SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN account a ON a.id = p.account_id WHERE a.code = :code"
)


def _key(line: BankLine, agreed: dict[str, Any]) -> str:
    return f"bank:{agreed['coop_iban']}:{line.reference}"

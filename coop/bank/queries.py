"""What treasurers see of money that came in: payments recorded by hand, statements and what each of their lines is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import MEMBER_CREDIT, SHARE_PREPAID, household_party
from coop.core.paging import Slice
from coop.receipts.queries import Asked, Suggestion, suggestions

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PaymentRow:
    id: int
    household_id: int
    household: str
    purpose: str
    amount_minor: int
    received_on: date
    reference: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    sought: str
    rows: list[PaymentRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    id: int
    name: str
    people: str
    credit_minor: int


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """Households to record a payment for; `line` is the receipt of a bank statement that it is about, if any."""

    sought: str
    rows: list[HouseholdRow]
    part: Slice
    line: "Receipt | None"


@dataclass(frozen=True, slots=True)
class ShareOwed:
    id: int
    words: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of a bank statement whose household is not known yet."""

    id: int
    reference: str
    amount_minor: int
    booked_on: date
    words: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    household_id: int
    household: str
    credit_minor: int
    prepaid_minor: int
    shares: list[ShareOwed]
    line: Receipt | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    id: int
    reference: str
    closes_on: date
    closing_minor: int
    lines: int
    open_lines: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class StatementsPage:
    rows: list[StatementRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a bank statement; `match` says what it is, `words` the bank's text, `whose` the household or maker."""

    id: int
    booked_on: date
    amount_minor: int
    reference: str
    words: str
    name: str
    match: str
    whose: str
    statement_id: int | None
    may_be_charge: bool
    iban_ending: str
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class StatementPage:
    id: int
    reference: str
    opening_minor: int
    closing_minor: int
    closes_on: date
    imported_at: datetime
    imported_by: str
    sha256: str
    open_lines: int
    rows: list[LineRow]
    part: Slice


def payments_page(session: Session, sought: str, *, number: int) -> PaymentsPage:
    """Return fifty payments recorded by hand, the latest first."""
    rows = session.execute(
        text(
            "SELECT p.id, p.household_id, h.name, p.purpose, p.amount_minor, p.received_on, p.reference,"
            " coalesce(w.name, 'the command line'), p.recorded_at, count(*) OVER () AS total"
            " FROM recorded_payment p JOIN household h ON h.id = p.household_id LEFT JOIN person w ON w.id = p.recorded_by"
            " WHERE h.name ILIKE :like OR p.reference ILIKE :like ORDER BY p.id DESC LIMIT :most OFFSET :skipped"
        ),
        _found(sought, number),
    ).all()
    return PaymentsPage(sought, [PaymentRow(*row[:-1]) for row in rows], Slice(number, A_PAGE, _total(rows)))


def choose_page(session: Session, sought: str, *, number: int, line_id: int | None) -> ChoosePage:
    """Return fifty households whose name, people or number in files hold what is sought."""
    rows = session.execute(
        text(
            "SELECT h.id, h.name, coalesce(p.names, ''), coalesce(-b.amount, 0)::bigint, count(*) OVER () AS total FROM household h"
            " LEFT JOIN LATERAL (SELECT string_agg(p.name, ', ' ORDER BY p.name) AS names FROM belonging g"
            "   JOIN person p ON p.id = g.person_id WHERE g.household_id = h.id AND g.ended_at IS NULL) p ON true"
            " LEFT JOIN account a ON a.code = :credit AND a.party = 'household:' || h.id LEFT JOIN balance b ON b.account_id = a.id"
            " WHERE h.left_at IS NULL AND (h.name ILIKE :like OR p.names ILIKE :like)"
            " ORDER BY lower(h.name), h.id LIMIT :most OFFSET :skipped"
        ),
        _found(sought, number) | {"credit": MEMBER_CREDIT},
    ).all()
    shown = [HouseholdRow(*row[:-1]) for row in rows]
    return ChoosePage(sought, shown, Slice(number, A_PAGE, _total(rows)), _receipt(session, line_id))


def record_page(session: Session, household_id: int, *, line_id: int | None) -> RecordPage:
    """Return what a payment of one household can be for."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id AND left_at IS NULL"), {"id": household_id})
    if name is None:
        raise NotFound
    shares = session.execute(
        text(
            "SELECT s.id, z.name || ' share, ' || n.name FROM season_share s JOIN share_size z ON z.id = s.size_id"
            " JOIN season n ON n.id = z.season_id WHERE s.household_id = :id AND s.ended_at IS NULL ORDER BY s.id"
        ),
        {"id": household_id},
    )
    balances = {
        code: -amount
        for code, amount in session.execute(
            text("SELECT a.code, b.amount FROM account a JOIN balance b ON b.account_id = a.id WHERE a.party = :party"),
            {"party": household_party(household_id)},
        )
    }
    return RecordPage(
        household_id,
        name,
        balances.get(MEMBER_CREDIT, 0),
        balances.get(SHARE_PREPAID, 0),
        [ShareOwed(*row) for row in shares],
        _receipt(session, line_id),
    )


def statements_page(session: Session, *, number: int) -> StatementsPage:
    """Return fifty bank statements, the latest first."""
    rows = session.execute(
        text(
            "SELECT s.id, s.statement_reference, s.closes_on, s.closing_minor, l.lines, l.open_lines, s.imported_at,"  # noqa: S608 - constants only
            " count(*) OVER () AS total FROM bank_statement s LEFT JOIN LATERAL (SELECT count(*) AS lines,"
            f" count(*) FILTER (WHERE {_IS_OPEN}) AS open_lines FROM bank_line b {_BOOKED} WHERE b.statement_id = s.id) l ON true"
            " ORDER BY s.id DESC LIMIT :most OFFSET :skipped"
        ),
        {"most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    return StatementsPage([StatementRow(*row[:-1]) for row in rows], Slice(number, A_PAGE, _total(rows)))


def statement_page(session: Session, statement_id: int, *, number: int) -> StatementPage:
    """Return a bank statement with fifty of its lines, those that nobody knows yet first."""
    row = session.execute(
        text(
            "SELECT s.*, coalesce(p.name, 'the command line') AS by_name FROM bank_statement s"
            " LEFT JOIN person p ON p.id = s.imported_by WHERE s.id = :id"
        ),
        {"id": statement_id},
    ).first()
    if row is None:
        raise NotFound
    lines = session.execute(_LINES, {"id": statement_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    found = suggestions(
        session,
        [Asked(one.id, one.name, one.payer_hash, one.amount_minor) for one in lines if one.match == "unidentified"],
    )
    return StatementPage(
        id=row.id,
        reference=row.statement_reference,
        opening_minor=row.opening_minor,
        closing_minor=row.closing_minor,
        closes_on=row.closes_on,
        imported_at=row.imported_at,
        imported_by=row.by_name,
        sha256=row.sha256,
        open_lines=lines[0].open_lines if lines else 0,
        rows=[LineRow(*(*line[:-3], found.get(line.id))) for line in lines],
        part=Slice(number, A_PAGE, _total(lines)),
    )


def statement_of(session: Session, sha256: str) -> int | None:
    """Return the statement that a file with this digest was taken in as."""
    found = session.execute(text("SELECT id FROM bank_statement WHERE sha256 = :sha"), {"sha": sha256}).first()
    return None if found is None else int(found.id)


_BOOKED = "LEFT JOIN entry e ON e.id = b.entry_id LEFT JOIN entry k ON k.key = 'resolve:' || b.id"
_MATCH = (
    "CASE WHEN e.id IS NULL THEN 'unmatched' WHEN e.kind IN ('payout_settled', 'payout_returned') THEN e.kind"
    " WHEN e.kind = 'bank_charge' THEN e.kind WHEN e.kind <> 'unidentified_receipt' AND e.key LIKE 'bank:hand:%' THEN 'recorded' WHEN e.kind <> 'unidentified_receipt' THEN 'by_reference' WHEN k.id IS NOT NULL THEN 'identified' ELSE 'unidentified' END"
)
_IS_OPEN = "e.id IS NULL OR (e.kind = 'unidentified_receipt' AND k.id IS NULL)"

_LINES = text(f"""
SELECT b.id, b.booked_on, b.amount_minor, b.reference, b.words, b.name, {_MATCH} AS match,
       coalesce(m.name, h.name, '') AS whose, s.id AS statement_id,
       e.id IS NULL AND b.amount_minor < 0 AND b.end_to_end_id IS NULL AS may_be_charge, b.iban_ending, b.payer_hash,
       count(*) FILTER (WHERE {_IS_OPEN}) OVER () AS open_lines, count(*) OVER () AS total
  FROM bank_line b {_BOOKED}
  LEFT JOIN payment p ON e.kind IN ('payout_settled', 'payout_returned') AND p.end_to_end_id = b.end_to_end_id
  LEFT JOIN statement s ON s.id = p.statement_id
  LEFT JOIN artisan m ON m.id = s.artisan_id
  LEFT JOIN recorded_payment r ON r.entry_id = b.entry_id OR (k.id IS NOT NULL AND r.reference = b.reference)
  LEFT JOIN household h ON h.id = r.household_id
 WHERE b.statement_id = :id
 ORDER BY ({_IS_OPEN}) DESC, b.booked_on, b.id LIMIT :most OFFSET :skipped
""")  # noqa: S608 - put together from constants only


def _receipt(session: Session, line_id: int | None) -> Receipt | None:
    if line_id is None:
        return None
    row = session.execute(
        text(
            f"SELECT b.id, b.reference, b.amount_minor, b.booked_on, b.words FROM bank_line b {_BOOKED}"  # noqa: S608 - constants only
            " WHERE b.id = :id AND b.amount_minor > 0 AND e.kind = 'unidentified_receipt' AND k.id IS NULL"
        ),
        {"id": line_id},
    ).first()
    return None if row is None else Receipt(*row)


def _found(sought: str, number: int) -> dict[str, object]:
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}


def _total(rows: Sequence[Any]) -> int:
    return rows[0].total if rows else 0

"""What treasurers see of bank statements, and what each of their lines is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer
from coop.outgoing.queries import Line, Meaning, meanings
from coop.receipts.queries import Asked, Suggestion, suggestions

A_PAGE: Final = 50


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
    bank_statement_id: int
    suggestion: Suggestion | None
    meanings: list[Meaning]


@dataclass(frozen=True, slots=True)
class LinesPage:
    """Lines of all statements, those that nobody knows yet unless all are asked for."""

    sought: str
    only_open: bool
    rows: list[LineRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A statement. `missing_minor` is what moved between the one before it and this one and stands in neither, 0 where they join."""

    id: int
    reference: str
    opening_minor: int
    closing_minor: int
    closes_on: date
    imported_at: datetime
    imported_by: str
    sha256: str
    open_lines: int
    missing_minor: int
    rows: list[LineRow]
    part: Slice


def line_is_on(session: Session, _: Viewer, /, *, statement_id: int, line_id: int, **_more: object) -> bool:
    """Whether a line is one of this statement's."""
    found = "SELECT 1 FROM bank_line WHERE id = :line AND statement_id = :statement"
    return session.scalar(text(found), {"line": line_id, "statement": statement_id}) is not None


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
    shown = {"id": statement_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    lines = session.execute(_LINES_OF_ONE, shown).all()
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
        missing_minor=missing_before(session, statement_id),
        rows=_rows(session, lines),
        part=Slice(number, A_PAGE, _total(lines)),
    )


def missing_before(session: Session, statement_id: int) -> int:
    """Return what moved on the account between the statement before and this one and stands in neither; 0 where they join.

    A statement that overlaps the one before brings only what is new, so it is its new lines that must lead from one end to the other.
    """
    return int(session.execute(_MISSING, {"id": statement_id}).scalar() or 0)


_MISSING = text("""
SELECT s.closing_minor - b.closing_minor - (SELECT coalesce(sum(amount_minor), 0) FROM bank_line WHERE statement_id = s.id)
  FROM bank_statement s
  JOIN LATERAL (SELECT closing_minor FROM bank_statement x WHERE (x.closes_on, x.id) < (s.closes_on, s.id)
                 ORDER BY x.closes_on DESC, x.id DESC LIMIT 1) b ON true
 WHERE s.id = :id
""")


def lines_page(session: Session, sought: str, *, only_open: bool, number: int) -> LinesPage:
    """Return fifty lines of all statements by name, words, reference or account, the latest first; only the open ones, or all."""
    lines = session.execute(_LINES_OPEN if only_open else _LINES_ALL, _found(sought, number)).all()
    return LinesPage(sought, only_open, _rows(session, lines), Slice(number, A_PAGE, _total(lines)))


def _rows(session: Session, lines: Sequence[Any]) -> list[LineRow]:
    unknown = [line for line in lines if line.match in {"unidentified", "unmatched"}]
    asked = [Asked(one.id, one.name, one.payer_hash, one.amount_minor) for one in unknown if one.amount_minor > 0]
    found = suggestions(session, asked)
    may_be = meanings(session, [Line(one.id, one.amount_minor, one.booked_on, one.name) for one in unknown])
    return [LineRow(*(*line[:-3], found.get(line.id), may_be.get(line.id, []))) for line in lines]


def statement_of(session: Session, sha256: str) -> int | None:
    """Return the statement that a file with this digest was taken in as."""
    found = session.execute(text("SELECT id FROM bank_statement WHERE sha256 = :sha"), {"sha": sha256}).first()
    return None if found is None else int(found.id)


_BOOKED = "LEFT JOIN entry e ON e.id = b.entry_id LEFT JOIN entry k ON k.key = 'resolve:' || b.id"
_MATCH = (
    "CASE WHEN e.id IS NULL THEN 'unmatched' WHEN e.kind IN ('payout_settled', 'payout_returned') THEN e.kind"
    " WHEN e.kind IN ('bank_charge', 'supplier_paid') THEN e.kind WHEN e.kind IN ('refund', 'advance', 'chargeback') THEN 'noted'"
    " WHEN e.kind <> 'unidentified_receipt' AND e.key LIKE 'bank:hand:%' THEN 'recorded' WHEN e.kind <> 'unidentified_receipt' THEN 'by_reference' WHEN k.kind = 'sent_back' THEN 'came_back' WHEN k.kind = 'card_payout' THEN k.kind WHEN k.id IS NOT NULL THEN 'identified' ELSE 'unidentified' END"
)
_IS_OPEN = "e.id IS NULL OR (e.kind = 'unidentified_receipt' AND k.id IS NULL)"

_LINES = f"""
SELECT b.id, b.booked_on, b.amount_minor, b.reference, b.words, b.name, {_MATCH} AS match,
       coalesce(m.name, r.names, '') AS whose, s.id AS statement_id,
       e.id IS NULL AND b.amount_minor < 0 AND b.end_to_end_id IS NULL AS may_be_charge, b.iban_ending,
       b.statement_id AS bank_statement_id, b.payer_hash,
       count(*) FILTER (WHERE {_IS_OPEN}) OVER () AS open_lines, count(*) OVER () AS total
  FROM bank_line b {_BOOKED}
  LEFT JOIN payment p ON e.kind IN ('payout_settled', 'payout_returned') AND p.end_to_end_id = b.end_to_end_id
  LEFT JOIN statement s ON s.id = p.statement_id
  LEFT JOIN artisan m ON m.id = s.artisan_id
  LEFT JOIN LATERAL (SELECT string_agg(DISTINCT h.name, ', ') AS names FROM household h WHERE h.id IN (
     SELECT household_id FROM recorded_payment WHERE entry_id = b.entry_id
     UNION ALL SELECT household_id FROM recorded_payment WHERE line_id = b.id
     UNION ALL SELECT household_id FROM recorded_payment WHERE k.id IS NOT NULL AND reference = b.reference)) r ON true
"""  # noqa: S608 - put together from constants only
_LIKE = "(b.name ILIKE :like OR b.words ILIKE :like OR b.reference ILIKE :like OR b.iban_ending ILIKE :like)"
_PART = "LIMIT :most OFFSET :skipped"
_LINES_OF_ONE = text(f"{_LINES} WHERE b.statement_id = :id ORDER BY ({_IS_OPEN}) DESC, b.booked_on, b.id {_PART}")
_LINES_OPEN = text(f"{_LINES} WHERE ({_IS_OPEN}) AND {_LIKE} ORDER BY b.booked_on DESC, b.id DESC {_PART}")
_LINES_ALL = text(f"{_LINES} WHERE {_LIKE} ORDER BY b.booked_on DESC, b.id DESC {_PART}")


def _found(sought: str, number: int) -> dict[str, object]:
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}


def _total(rows: Sequence[Any]) -> int:
    return rows[0].total if rows else 0

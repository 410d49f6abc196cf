"""What was put right after hand-overs: the latest credit notes, orders found by who fetched them or by lot, and one order whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere

A_PAGE: Final = 50
FOUND_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A credit note; `is_taken_back` where it counts no more."""

    id: int
    order_id: int
    household: str
    product: str
    lot_number: str
    pieces: int
    reason: str
    gross_minor: int
    noted_at: datetime
    noted_by: str
    is_taken_back: bool


@dataclass(frozen=True, slots=True)
class FoundOrder:
    order_id: int
    household: str
    pool: str
    products: str


@dataclass(frozen=True, slots=True)
class NotesPage:
    sought: str
    found: list[FoundOrder]
    notes: list[NoteRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class FetchedLine:
    """A line of which pieces were fetched; `fee_bp` is None where the co-op itself sells."""

    line_id: int
    product: str
    maker: str
    lot_number: str
    handed: int
    noted: int
    fee_bp: int | None

    @property
    def left(self) -> int:
        """Pieces that were fetched and not credited."""
        return self.handed - self.noted


@dataclass(frozen=True, slots=True)
class Fetching:
    """A hand-over; `is_undone` where it was taken back."""

    id: int
    words: str
    at: datetime
    by: str
    is_undone: bool


@dataclass(frozen=True, slots=True)
class AfterPage:
    """An order after it was fetched."""

    order_id: int
    household: str
    pool: str
    lines: list[FetchedLine]
    fetched: list[Fetching]
    notes: list[NoteRow]


@dataclass(frozen=True, slots=True)
class LinePage:
    order_id: int
    household: str
    line: FetchedLine


@dataclass(frozen=True, slots=True)
class UndoPage:
    order_id: int
    household: str
    words: str
    at: datetime


_NOTES = """
SELECT n.id, l.order_id, h.name AS household, p.name AS product, b.lot_number, n.pieces, n.reason, n.gross_minor, n.noted_at,
       coalesce(who.name, 'the co-op') AS noted_by, n.reversed_id IS NOT NULL, count(*) OVER () AS total
  FROM credit_note n
  JOIN order_line l ON l.id = n.line_id JOIN household_order o ON o.id = l.order_id JOIN household h ON h.id = o.household_id
  JOIN offering f ON f.id = l.offering_id JOIN product p ON p.id = f.product_id JOIN batch b ON b.id = f.batch_id
  LEFT JOIN person who ON who.id = n.noted_by
 WHERE CAST(:order AS bigint) IS NULL OR l.order_id = :order
 ORDER BY n.id DESC LIMIT :most OFFSET :skipped
"""

_FOUND = text("""
SELECT o.id, h.name, q.name, string_agg(DISTINCT p.name, ', ' ORDER BY p.name)
  FROM hand_over_line d JOIN order_line l ON l.id = d.line_id JOIN household_order o ON o.id = l.order_id
  JOIN household h ON h.id = o.household_id JOIN pool q ON q.id = o.pool_id
  JOIN offering f ON f.id = l.offering_id JOIN product p ON p.id = f.product_id JOIN batch b ON b.id = f.batch_id
 WHERE h.name ILIKE :like OR h.reference ILIKE :like OR b.lot_number ILIKE :like
 GROUP BY o.id, h.name, q.id ORDER BY q.pickup_on DESC, lower(h.name), o.id LIMIT :most
""")

_ORDER = text("""
SELECT o.id, h.name AS household, q.name AS pool FROM household_order o JOIN household h ON h.id = o.household_id
  JOIN pool q ON q.id = o.pool_id WHERE o.id = :order
""")

_LINES = """
SELECT l.id, p.name, m.name, b.lot_number, coalesce(d.pieces, 0)::bigint, coalesce(n.pieces, 0)::bigint,
       CASE t.model WHEN 'agent' THEN coalesce((SELECT fee_bp FROM fee_change WHERE line_id = l.id ORDER BY id DESC LIMIT 1), t.fee_bp) END
  FROM order_line l
  JOIN offering f ON f.id = l.offering_id JOIN product p ON p.id = f.product_id JOIN batch b ON b.id = f.batch_id
  JOIN artisan m ON m.id = p.artisan_id JOIN artisan_terms t ON t.id = f.terms_id
  LEFT JOIN LATERAL (SELECT sum(pieces) AS pieces FROM hand_over_line WHERE line_id = l.id) d ON true
  LEFT JOIN LATERAL (SELECT sum(pieces) AS pieces FROM credit_note WHERE line_id = l.id AND reversed_id IS NULL) n ON true
 WHERE {which} AND d.pieces > 0 ORDER BY lower(p.name), l.id
"""

_FETCHED = """
SELECT d.id, string_agg(p.name || ': ' || x.pieces, ', ' ORDER BY p.name), d.handed_at, coalesce(who.name, 'the co-op'),
       EXISTS (SELECT FROM hand_over u WHERE u.undoes_id = d.id)
  FROM hand_over d JOIN hand_over_line x ON x.hand_over_id = d.id JOIN order_line l ON l.id = x.line_id
  JOIN offering f ON f.id = l.offering_id JOIN product p ON p.id = f.product_id
  LEFT JOIN person who ON who.id = d.handed_by
 WHERE d.{which} AND d.undoes_id IS NULL GROUP BY d.id, who.name ORDER BY d.id DESC
"""


def notes_page(session: Session, sought: str, *, number: int) -> NotesPage:
    """Return fifty credit notes, the latest first; with what is sought, orders of such a household or lot that were fetched."""
    rows = session.execute(text(_NOTES), {"order": None, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    asked = {"like": anywhere(sought), "most": FOUND_SHOWN}
    found = [FoundOrder(*row) for row in session.execute(_FOUND, asked)] if sought else []
    part = Slice(number, A_PAGE, rows[0].total if rows else 0)
    return NotesPage(sought, found, [NoteRow(*row[:-1]) for row in rows], part)


def after_page(session: Session, order_id: int) -> AfterPage:
    """Return an order with what was fetched of it, when, and what was credited since."""
    order = session.execute(_ORDER, {"order": order_id}).first()
    if order is None:
        raise NotFound
    lines = session.execute(text(_LINES.format(which="l.order_id = :order")), {"order": order_id})
    fetched = session.execute(text(_FETCHED.format(which="order_id = :order")), {"order": order_id})
    notes = session.execute(text(_NOTES), {"order": order_id, "most": A_PAGE, "skipped": 0})
    return AfterPage(
        order_id=order.id,
        household=order.household,
        pool=order.pool,
        lines=[FetchedLine(*row) for row in lines],
        fetched=[Fetching(*row) for row in fetched],
        notes=[NoteRow(*row[:-1]) for row in notes],
    )


def line_page(session: Session, line_id: int) -> LinePage:
    """Return one line of which pieces were fetched."""
    row = session.execute(text(_LINES.format(which="l.id = :line")), {"line": line_id}).first()
    if row is None:
        raise NotFound
    whose = "SELECT o.id, h.name FROM order_line l JOIN household_order o ON o.id = l.order_id JOIN household h ON h.id = o.household_id WHERE l.id = :line"
    order = session.execute(text(whose), {"line": line_id}).one()
    return LinePage(order.id, order.name, FetchedLine(*row))


def undo_page(session: Session, hand_over_id: int) -> UndoPage:
    """Return a hand-over that may be taken back."""
    row = session.execute(text(_FETCHED.format(which="id = :id")), {"id": hand_over_id}).first()
    if row is None:
        raise NotFound
    whose = "SELECT o.id, h.name FROM hand_over d JOIN household_order o ON o.id = d.order_id JOIN household h ON h.id = o.household_id WHERE d.id = :id"
    order = session.execute(text(whose), {"id": hand_over_id}).one()
    return UndoPage(order.id, order.name, row[1], row[2])


def note_of(session: Session, note_id: int) -> NoteRow:
    """Return one credit note."""
    order_id = session.scalar(
        text("SELECT l.order_id FROM credit_note n JOIN order_line l ON l.id = n.line_id WHERE n.id = :id"),
        {"id": note_id},
    )
    rows = session.execute(text(_NOTES), {"order": order_id or 0, "most": A_PAGE, "skipped": 0})
    for row in rows:
        if row.id == note_id:
            return NoteRow(*row[:-1])
    raise NotFound

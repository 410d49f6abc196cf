"""Which containers are out, with whom, and for how long; and what should stand at the co-op."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import returnables
from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.pickups.queries import TickPage, tick_page
from coop.policy import service as policy

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Out:
    """Containers of one kind that a household has."""

    type_id: int
    name: str
    deposit_minor: int
    pieces: int

    @property
    def minor(self) -> int:
        """What is deposited for them."""
        return self.pieces * self.deposit_minor


OUT = """
SELECT o.household_id, f.container_type_id AS type_id, hl.pieces * f.containers_each AS pieces, ho.handed_at AS at
  FROM hand_over_line hl
  JOIN hand_over ho ON ho.id = hl.hand_over_id
  JOIN order_line l ON l.id = hl.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = l.offering_id
 WHERE f.container_type_id IS NOT NULL AND l.deposit_minor > 0
"""
"""What hand-overs let out, row by row."""

_OUTS = text(f"""
SELECT t.id, t.name, t.deposit_minor, sum(m.pieces)::bigint AS pieces
  FROM (SELECT type_id, pieces FROM ({OUT} AND o.household_id = :household) went
         UNION ALL SELECT type_id, -pieces FROM returnable_move WHERE household_id = :household) m
  JOIN container_type t ON t.id = m.type_id
 GROUP BY t.id HAVING sum(m.pieces) <> 0 ORDER BY t.name
""")  # noqa: S608 - put together from the text above only

_LATE = text(f"""
SELECT w.household_id, w.type_id, w.pieces, coalesce(g.pieces, 0)::bigint AS gone
  FROM (SELECT household_id, type_id, sum(pieces)::bigint AS pieces FROM ({OUT} AND ho.handed_at < :before) went
         GROUP BY household_id, type_id) w
  LEFT JOIN (SELECT household_id, type_id, sum(pieces) AS pieces FROM returnable_move
              GROUP BY household_id, type_id) g ON g.household_id = w.household_id AND g.type_id = w.type_id
""")  # noqa: S608 - as above

_EXPECTED = text("""
SELECT t.id, coalesce(c.pieces, 0) + coalesce((SELECT sum(m.pieces) FROM returnable_move m
         WHERE m.type_id = t.id AND m.kind = 'back' AND (c.counted_at IS NULL OR m.moved_at > c.counted_at)), 0)::bigint
  FROM container_type t
  LEFT JOIN LATERAL (SELECT pieces, counted_at FROM container_count WHERE type_id = t.id ORDER BY id DESC LIMIT 1) c ON true
 WHERE t.ended_at IS NULL ORDER BY t.id
""")


def outs(session: Session, household_id: int) -> list[Out]:
    """Return what a household has out, by kind."""
    return [Out(*row) for row in session.execute(_OUTS, {"household": household_id})]


def overdue(session: Session, *, before: datetime) -> dict[int, dict[int, int]]:
    """Return how many pieces of each kind are still out that went out before an instant, as {household: {kind: pieces}}."""
    late: dict[int, dict[int, int]] = defaultdict(dict)
    for household_id, type_id, went, gone in session.execute(_LATE, {"before": before}):
        if pieces := returnables.overdue(went, gone):
            late[household_id][type_id] = pieces
    return dict(late)


def expected_at_coop(session: Session) -> dict[int, int]:
    """Return how many empties of each kind should stand at the co-op: those last counted, and what came back since."""
    return {type_id: pieces for type_id, pieces in session.execute(_EXPECTED)}  # noqa: C416 - a row is no pair to mypy


@dataclass(frozen=True, slots=True)
class TablePage:
    """An order to tick off, and the containers that its household may bring back."""

    order: TickPage
    outs: list[Out]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """Something that changed what a household has out; `pieces` is the change."""

    id: int
    what: str
    name: str
    pieces: int
    minor: int
    at: datetime
    by: str
    reason: str
    may_undo: bool


@dataclass(frozen=True, slots=True)
class HouseholdPage:
    household_id: int
    household: str
    outs: list[Out]
    moves: list[MoveRow]
    part: Slice

    @property
    def minor(self) -> int:
        """What is deposited for all that is out."""
        return sum(one.minor for one in self.outs)


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of container: how many are out, and how many stand at the co-op."""

    id: int
    name: str
    deposit_minor: int
    out: int
    expected: int
    counted: int | None
    counted_at: datetime | None
    differed: int

    @property
    def minor(self) -> int:
        """What is deposited for those that are out."""
        return self.out * self.deposit_minor


@dataclass(frozen=True, slots=True)
class HolderRow:
    household_id: int
    household: str
    pieces: int
    minor: int
    since: datetime


@dataclass(frozen=True, slots=True)
class RegisterPage:
    kinds: list[KindRow]
    holders: list[HolderRow]
    part: Slice
    kept_days: int
    overdue_households: int
    overdue_pieces: int


@dataclass(frozen=True, slots=True)
class KindNamed:
    id: int
    name: str
    deposit_minor: int


@dataclass(frozen=True, slots=True)
class MovePage:
    id: int
    household_id: int
    household: str
    name: str
    kind: str
    pieces: int
    minor: int


_MOVED = text(f"""
SELECT m.*, count(*) OVER () AS total FROM (
  SELECT NULL::bigint AS id, 'out' AS what, t.name, sum(w.pieces)::bigint AS pieces, sum(w.pieces)::bigint * t.deposit_minor AS minor,
         w.at, '' AS by, '' AS reason, false AS may_undo
    FROM ({OUT} AND o.household_id = :household) w JOIN container_type t ON t.id = w.type_id GROUP BY t.id, w.at
   UNION ALL
  SELECT m.id, CASE WHEN m.undoes_id IS NULL THEN m.kind ELSE 'undone' END, t.name, -m.pieces, -m.pieces * t.deposit_minor,
         m.moved_at, coalesce(p.name, 'the co-op'), m.reason,
         m.undoes_id IS NULL AND NOT EXISTS (SELECT FROM returnable_move u WHERE u.undoes_id = m.id)
    FROM returnable_move m JOIN container_type t ON t.id = m.type_id LEFT JOIN person p ON p.id = m.moved_by
   WHERE m.household_id = :household) m
 ORDER BY m.at DESC, m.id DESC NULLS LAST, m.name LIMIT :most OFFSET :skipped
""")  # noqa: S608 - put together from the text above only

_KINDS = text(f"""
SELECT t.id, t.name, t.deposit_minor,
       (coalesce(w.pieces, 0) - coalesce((SELECT sum(pieces) FROM returnable_move WHERE type_id = t.id), 0))::bigint AS out,
       c.pieces AS counted, c.counted_at, coalesce(c.pieces - c.expected, 0) AS differed
  FROM container_type t
  LEFT JOIN (SELECT type_id, sum(pieces) AS pieces FROM ({OUT}) went GROUP BY type_id) w ON w.type_id = t.id
  LEFT JOIN LATERAL (SELECT pieces, expected, counted_at FROM container_count WHERE type_id = t.id ORDER BY id DESC LIMIT 1) c ON true
 WHERE t.ended_at IS NULL ORDER BY t.name LIMIT 100
""")  # noqa: S608 - as above

_HOLDERS = text(f"""
SELECT h.id, h.name, sum(m.pieces)::bigint, sum(m.pieces * t.deposit_minor)::bigint AS minor,
       max(m.at) FILTER (WHERE m.pieces > 0), count(*) OVER ()
  FROM (SELECT household_id, type_id, pieces, at FROM ({OUT}) went
         UNION ALL SELECT household_id, type_id, -pieces, moved_at FROM returnable_move) m
  JOIN container_type t ON t.id = m.type_id JOIN household h ON h.id = m.household_id
 GROUP BY h.id HAVING sum(m.pieces * t.deposit_minor) <> 0
 ORDER BY minor DESC, h.id LIMIT :most OFFSET :skipped
""")  # noqa: S608 - as above


def household_of(session: Session, order_id: int) -> int:
    """Return whose an order is."""
    household_id: int | None = session.scalar(
        text("SELECT household_id FROM household_order WHERE id = :id"), {"id": order_id}
    )
    if household_id is None:
        raise NotFound
    return household_id


def table_page(session: Session, order_id: int, *, number: int, shown: Collection[int] = ()) -> TablePage:
    """Return an order to tick off, and what its household has out."""
    order = tick_page(session, order_id, number=number, shown=shown)
    return TablePage(order, outs(session, order.household_id))


def household_page(session: Session, household_id: int, *, number: int) -> HouseholdPage:
    """Return what a household has out, and fifty of the moves that made it so, the latest first."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id"), {"id": household_id})
    if name is None:
        raise NotFound
    asked = {"household": household_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    moves = session.execute(_MOVED, asked).all()
    part = Slice(number, A_PAGE, moves[0].total if moves else 0)
    return HouseholdPage(household_id, name, outs(session, household_id), [MoveRow(*row[:9]) for row in moves], part)


def register_page(session: Session, *, number: int, at: datetime) -> RegisterPage:
    """Return every kind of container with where its pieces are, and fifty holders, those with most first."""
    expected = expected_at_coop(session)
    kinds = [
        KindRow(
            row.id, row.name, row.deposit_minor, row.out, expected[row.id], row.counted, row.counted_at, row.differed
        )
        for row in session.execute(_KINDS)
    ]
    holders = session.execute(_HOLDERS, {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    days = policy.current(session, "returnables_kept_days", at=at)
    late = overdue(session, before=at - timedelta(days=days)) if days else {}
    return RegisterPage(
        kinds,
        [HolderRow(*row[:5]) for row in holders],
        Slice(number, A_PAGE, holders[0][5] if holders else 0),
        days,
        len(late),
        sum(sum(pieces.values()) for pieces in late.values()),
    )


def kind_named(session: Session, type_id: int) -> KindNamed:
    """Return a kind of container."""
    row = session.execute(
        text("SELECT id, name, deposit_minor FROM container_type WHERE id = :id AND ended_at IS NULL"), {"id": type_id}
    ).first()
    if row is None:
        raise NotFound
    return KindNamed(*row)


def move_page(session: Session, move_id: int) -> MovePage:
    """Return a move that may be undone."""
    row = session.execute(
        text(
            "SELECT m.id, m.household_id, h.name, t.name, m.kind, m.pieces, m.pieces * t.deposit_minor"
            " FROM returnable_move m JOIN household h ON h.id = m.household_id JOIN container_type t ON t.id = m.type_id"
            " WHERE m.id = :id AND m.undoes_id IS NULL"
        ),
        {"id": move_id},
    ).first()
    if row is None:
        raise NotFound
    return MovePage(*row)

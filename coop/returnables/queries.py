"""Which containers are out, with whom, and for how long; and what should stand at the co-op."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import returnables


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

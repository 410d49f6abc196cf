"""An order as the office sees it: what was wished, what is held for it, what it got."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order; `pieces` is None until the pool is published."""

    id: int
    product: str
    maker: str
    lot_number: str
    wish: int
    up_to: int
    held_minor: int
    pieces: int | None
    handed: int


@dataclass(frozen=True, slots=True)
class OrderPage:
    """`run_id` is that of the sharing out, once there is one: from then on no line can be taken back."""

    id: int
    household_id: int
    household: str
    pool_id: int
    pool: str
    placed_at: datetime
    closes_at: datetime
    is_past_cut_off: bool
    run_id: int | None
    lines: list[Line]

    @property
    def may_be_taken_back(self) -> bool:
        """Whether any line stands that is not shared out."""
        return self.run_id is None and any(line.up_to for line in self.lines)

    @property
    def held_minor(self) -> int:
        return sum(line.held_minor for line in self.lines)


_ORDER = text("""
SELECT o.id, o.household_id, h.name AS household, o.pool_id, p.name AS pool, o.placed_at, p.closes_at,
       (SELECT r.id FROM allocation_run r WHERE r.pool_id = p.id AND r.state NOT IN ('failed', 'cancelled', 'superseded')
         ORDER BY r.id DESC LIMIT 1) AS run_id
  FROM household_order o JOIN household h ON h.id = o.household_id JOIN pool p ON p.id = o.pool_id WHERE o.id = :order
""")

_LINES = text("""
SELECT l.id, d.name, m.name, b.lot_number, l.wish, l.up_to,
       CASE WHEN r.id IS NULL THEN coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) - l.fund_held_minor ELSE 0 END,
       a.pieces, coalesce((SELECT sum(x.pieces) FROM hand_over_line x WHERE x.line_id = l.id), 0)::bigint
  FROM order_line l JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = l.offering_id JOIN product d ON d.id = f.product_id
  JOIN artisan m ON m.id = d.artisan_id JOIN batch b ON b.id = f.batch_id
  LEFT JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
  LEFT JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE l.order_id = :order AND l.up_to > 0 ORDER BY lower(d.name), l.id
""")


def order_page(session: Session, order_id: int, *, at: datetime) -> OrderPage:
    """Return an order with its lines that stand."""
    row = session.execute(_ORDER, {"order": order_id}).first()
    if row is None:
        raise NotFound
    lines = [Line(*line) for line in session.execute(_LINES, {"order": order_id})]
    return OrderPage(
        id=row.id,
        household_id=row.household_id,
        household=row.household,
        pool_id=row.pool_id,
        pool=row.pool,
        placed_at=row.placed_at,
        closes_at=row.closes_at,
        is_past_cut_off=at > row.closes_at,
        run_id=row.run_id,
        lines=lines,
    )

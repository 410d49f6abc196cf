"""What packers see of one order: a household by name, pieces, and who handed over what. Never money, never a mail address."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PackedLine:
    line_id: int
    product: str
    maker: str
    lot_number: str
    unit: str
    awarded: int
    handed: int
    min_age: int | None

    @property
    def waiting(self) -> int:
        """Pieces still to be handed over."""
        return self.awarded - self.handed


@dataclass(frozen=True, slots=True)
class HandedRow:
    words: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class TickPage:
    order_id: int
    pool_id: int
    pool: str
    household: str
    point: str
    pickup_on: date
    is_published: bool
    lines: list[PackedLine]
    part: Slice
    pieces_waiting: int
    pieces_awarded: int
    handed: list[HandedRow]

    @property
    def min_age(self) -> int:
        """The age to check for what is shown; 0 where none is asked."""
        return max((line.min_age or 0 for line in self.lines if line.waiting), default=0)

    @property
    def for_age(self) -> str:
        """What the age is checked for."""
        return ", ".join(line.product for line in self.lines if line.min_age and line.waiting)


@dataclass(frozen=True, slots=True)
class PointChoice:
    id: int
    name: str
    place: str
    hours: str


@dataclass(frozen=True, slots=True)
class PointsPage:
    points: list[PointChoice]
    chosen_id: int | None


CHOSEN = (
    " LEFT JOIN LATERAL (SELECT point_id FROM pickup_choice WHERE household_id = o.household_id ORDER BY id DESC LIMIT 1) c ON true"
    " LEFT JOIN pickup_point pt ON pt.id = c.point_id AND pt.ended_at IS NULL"
)
AWARDED = (
    " JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'"
    " JOIN order_line l ON l.order_id = o.id"
    " JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0"
    " LEFT JOIN LATERAL (SELECT coalesce(sum(hl.pieces), 0)::bigint AS pieces FROM hand_over_line hl WHERE hl.line_id = l.id) h ON true"
)
PUBLISHED = "EXISTS (SELECT FROM allocation_run r WHERE r.pool_id = p.id AND r.state = 'published')"


def tick_page(session: Session, order_id: int, *, number: int, shown: Collection[int] = ()) -> TickPage:
    """Return an order to tick off: fifty lines that wait, those just sent with a form, and what was handed over before."""
    order = session.execute(
        text(
            "SELECT o.id, o.pool_id, p.name AS pool, hh.name AS household, coalesce(pt.name, '') AS point, p.pickup_on,"  # noqa: S608 - constants only
            f" {PUBLISHED} AS is_published FROM household_order o JOIN pool p ON p.id = o.pool_id"
            f" JOIN household hh ON hh.id = o.household_id{CHOSEN} WHERE o.id = :order"
        ),
        {"order": order_id},
    ).first()
    if order is None:
        raise NotFound
    lines = packed(session, [order_id])[order_id]
    waiting = [line for line in lines if line.waiting or line.line_id in shown]
    part = Slice(number, A_PAGE, len(waiting))
    return TickPage(
        order_id=order.id,
        pool_id=order.pool_id,
        pool=order.pool,
        household=order.household,
        point=order.point,
        pickup_on=order.pickup_on,
        is_published=order.is_published,
        lines=waiting[part.skipped : part.skipped + A_PAGE],
        part=part,
        pieces_waiting=sum(line.waiting for line in lines),
        pieces_awarded=sum(line.awarded for line in lines),
        handed=[HandedRow(*row) for row in session.execute(_HANDED, {"order": order_id})],
    )


def points_page(session: Session, household_id: int) -> PointsPage:
    """Return where a household can fetch, and where it does."""
    points = session.execute(
        text("SELECT id, name, place, hours FROM pickup_point WHERE ended_at IS NULL ORDER BY name")
    )
    chosen = session.scalar(
        text("SELECT point_id FROM pickup_choice WHERE household_id = :household ORDER BY id DESC LIMIT 1"),
        {"household": household_id},
    )
    return PointsPage([PointChoice(*row) for row in points], chosen)


_LINES = text(f"""
SELECT o.id, l.id, p.name, m.name, b.lot_number, CASE WHEN a.pieces - h.pieces = 1 THEN p.unit_one ELSE p.unit_many END,
       a.pieces, h.pieces, p.min_age
  FROM household_order o {AWARDED}
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product p ON p.id = f.product_id
  JOIN artisan m ON m.id = p.artisan_id
 WHERE o.id = ANY(:orders) ORDER BY o.id, m.name, p.name, l.id
""")  # noqa: S608 - put together from the text above only

_HANDED = text(f"""
SELECT string_agg(p.name || ': ' || hl.pieces, ', ' ORDER BY p.name), ho.handed_at, coalesce(by.name, 'the co-op')
  FROM hand_over ho
  JOIN hand_over_line hl ON hl.hand_over_id = ho.id
  JOIN order_line l ON l.id = hl.line_id
  JOIN offering f ON f.id = l.offering_id
  JOIN product p ON p.id = f.product_id
  LEFT JOIN person by ON by.id = ho.handed_by
 WHERE ho.order_id = :order
 GROUP BY ho.id, by.name ORDER BY ho.handed_at DESC, ho.id DESC LIMIT {A_PAGE}
""")  # noqa: S608 - as above


def packed(session: Session, order_ids: Sequence[int]) -> dict[int, list[PackedLine]]:
    """Return what orders were awarded, line by line, and how much of it was fetched."""
    found: dict[int, list[PackedLine]] = defaultdict(list)
    for order_id, *line in session.execute(_LINES, {"orders": order_ids}):
        found[order_id].append(PackedLine(*line))
    return found

"""What packers see: households by name, pieces, and who handed over what. Never money, never a mail address."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PointRow:
    """Where some of a pool's households fetch; id 0 is for those who have not chosen."""

    id: int
    name: str
    place: str
    households: int
    pieces: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ComingPool:
    id: int
    name: str
    pickup_on: date
    is_published: bool
    points: list[PointRow]


@dataclass(frozen=True, slots=True)
class EarlierPool:
    id: int
    name: str
    season: str
    pickup_on: date


@dataclass(frozen=True, slots=True)
class PickupsPage:
    today: date
    coming: list[ComingPool]
    earlier: list[EarlierPool]
    part: Slice


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
class PackedOrder:
    id: int
    household: str
    lines: list[PackedLine]

    @property
    def waiting(self) -> int:
        """Pieces still to be handed over."""
        return sum(line.waiting for line in self.lines)

    @property
    def is_begun(self) -> bool:
        """Whether some of it was fetched."""
        return any(line.handed for line in self.lines)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The households of one pickup point on this page of the list."""

    point: str
    orders: list[PackedOrder]


@dataclass(frozen=True, slots=True)
class PackingPage:
    pool_id: int
    pool: str
    season: str
    pickup_on: date
    is_published: bool
    points: list[PointRow]
    point_id: int | None
    sought: str
    sheets: list[Sheet]
    part: Slice


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


_CHOSEN = (
    " LEFT JOIN LATERAL (SELECT point_id FROM pickup_choice WHERE household_id = o.household_id ORDER BY id DESC LIMIT 1) c ON true"
    " LEFT JOIN pickup_point pt ON pt.id = c.point_id AND pt.ended_at IS NULL"
)
_AWARDED = (
    " JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'"
    " JOIN order_line l ON l.order_id = o.id"
    " JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0"
    " LEFT JOIN LATERAL (SELECT coalesce(sum(hl.pieces), 0)::bigint AS pieces FROM hand_over_line hl WHERE hl.line_id = l.id) h ON true"
)
_PUBLISHED = "EXISTS (SELECT FROM allocation_run r WHERE r.pool_id = p.id AND r.state = 'published')"


def pickups_page(session: Session, *, number: int, today: date) -> PickupsPage:
    """Return today's and the coming pickups with their points, and fifty earlier ones."""
    coming = session.execute(
        text(
            f"SELECT p.id, p.name, p.pickup_on, {_PUBLISHED} AS is_published FROM pool p"  # noqa: S608 - constants only
            " WHERE p.pickup_on >= :today AND p.opened_at IS NOT NULL ORDER BY p.pickup_on, p.id LIMIT 20"
        ),
        {"today": today},
    ).all()
    points = _points(session, [row.id for row in coming if row.is_published])
    earlier = session.execute(
        text(
            "SELECT p.id, p.name, s.name AS season, p.pickup_on, count(*) OVER () AS total FROM pool p"  # noqa: S608 - constants only
            f" JOIN season s ON s.id = p.season_id WHERE p.pickup_on < :today AND {_PUBLISHED}"
            " ORDER BY p.pickup_on DESC, p.id DESC LIMIT :most OFFSET :skipped"
        ),
        {"today": today, "most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    return PickupsPage(
        today,
        [ComingPool(row.id, row.name, row.pickup_on, row.is_published, points[row.id]) for row in coming],
        [EarlierPool(*row[:4]) for row in earlier],
        Slice(number, A_PAGE, earlier[0].total if earlier else 0),
    )


def packing_page(
    session: Session, pool_id: int, sought: str, *, number: int, point_id: int | None = None
) -> PackingPage:
    """Return fifty households of a pool with what waits for them, by pickup point."""
    pool = session.execute(
        text(
            f"SELECT p.id, p.name, s.name AS season, p.pickup_on, {_PUBLISHED} AS is_published FROM pool p"  # noqa: S608 - constants only
            " JOIN season s ON s.id = p.season_id WHERE p.id = :pool AND p.opened_at IS NOT NULL"
        ),
        {"pool": pool_id},
    ).first()
    if pool is None:
        raise NotFound
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = session.execute(
        text(
            "SELECT o.id, hh.name AS household, coalesce(pt.name, '') AS point, count(*) OVER () AS total"  # noqa: S608 - constants only
            f" FROM household_order o JOIN household hh ON hh.id = o.household_id{_CHOSEN}"
            " WHERE o.pool_id = :pool AND (CAST(:point AS bigint) IS NULL OR coalesce(pt.id, 0) = :point) AND hh.name ILIKE :like"
            " AND EXISTS (SELECT FROM allocation_run r JOIN order_line l ON l.order_id = o.id JOIN award a ON a.run_id = r.id"
            "   AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0"
            "   WHERE r.pool_id = o.pool_id AND r.state = 'published')"
            " ORDER BY pt.name NULLS LAST, lower(hh.name), o.id LIMIT :most OFFSET :skipped"
        ),
        {"pool": pool_id, "point": point_id, "like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    return PackingPage(
        pool_id=pool.id,
        pool=pool.name,
        season=pool.season,
        pickup_on=pool.pickup_on,
        is_published=pool.is_published,
        points=_points(session, [pool_id])[pool_id] if pool.is_published else [],
        point_id=point_id,
        sought=sought,
        sheets=_sheets(rows, _packed(session, [row.id for row in rows])),
        part=Slice(number, A_PAGE, rows[0].total if rows else 0),
    )


def tick_page(session: Session, order_id: int, *, number: int, shown: Collection[int] = ()) -> TickPage:
    """Return an order to tick off: fifty lines that wait, those just sent with a form, and what was handed over before."""
    order = session.execute(
        text(
            "SELECT o.id, o.pool_id, p.name AS pool, hh.name AS household, coalesce(pt.name, '') AS point, p.pickup_on,"  # noqa: S608 - constants only
            f" {_PUBLISHED} AS is_published FROM household_order o JOIN pool p ON p.id = o.pool_id"
            f" JOIN household hh ON hh.id = o.household_id{_CHOSEN} WHERE o.id = :order"
        ),
        {"order": order_id},
    ).first()
    if order is None:
        raise NotFound
    lines = _packed(session, [order_id])[order_id]
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
  FROM household_order o {_AWARDED}
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product p ON p.id = f.product_id
  JOIN artisan m ON m.id = p.artisan_id
 WHERE o.id = ANY(:orders) ORDER BY o.id, m.name, p.name, l.id
""")  # noqa: S608 - put together from the text above only

_BY_POINT = text(f"""
SELECT o.pool_id, coalesce(pt.id, 0), coalesce(pt.name, ''), coalesce(pt.place, ''), count(*), sum(o.awarded)::bigint,
       sum(o.awarded - o.handed)::bigint
  FROM (SELECT o.pool_id, o.household_id, sum(a.pieces) AS awarded, coalesce(sum(h.pieces), 0) AS handed
          FROM household_order o
          JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
          JOIN order_line l ON l.order_id = o.id
          JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0
          LEFT JOIN (SELECT hl.line_id, sum(hl.pieces) AS pieces
                       FROM household_order x
                       JOIN hand_over ho ON ho.order_id = x.id
                       JOIN hand_over_line hl ON hl.hand_over_id = ho.id
                      WHERE x.pool_id = ANY(:pools) GROUP BY hl.line_id) h ON h.line_id = l.id
         WHERE o.pool_id = ANY(:pools)
         GROUP BY o.id) o {_CHOSEN}
 GROUP BY o.pool_id, pt.id, pt.name, pt.place ORDER BY o.pool_id, pt.name NULLS LAST
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


def _points(session: Session, pool_ids: Sequence[int]) -> dict[int, list[PointRow]]:
    """Count households and pieces by pool and pickup point."""
    found: dict[int, list[PointRow]] = defaultdict(list)
    if not pool_ids:
        return found
    rows = session.execute(_BY_POINT, {"pools": pool_ids})
    for pool_id, *point in rows:
        found[pool_id].append(PointRow(*point))
    return found


def _packed(session: Session, order_ids: Sequence[int]) -> dict[int, list[PackedLine]]:
    found: dict[int, list[PackedLine]] = defaultdict(list)
    for order_id, *line in session.execute(_LINES, {"orders": order_ids}):
        found[order_id].append(PackedLine(*line))
    return found


def _sheets(rows: Sequence[Any], lines: dict[int, list[PackedLine]]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for row in rows:
        if not sheets or sheets[-1].point != row.point:
            sheets.append(Sheet(row.point, []))
        sheets[-1].orders.append(PackedOrder(row.id, row.household, lines[row.id]))
    return sheets

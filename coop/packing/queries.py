"""What packers pack by: the pickups to come, and each pool's households with what waits for them, by pickup point."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere
from coop.pickups.queries import A_PAGE, CHOSEN, PUBLISHED, PackedLine, packed

WHOLE: Final = 10_000
"""Households on a printed list: more than any pool has."""


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


def pickups_page(session: Session, *, number: int, today: date) -> PickupsPage:
    """Return today's and the coming pickups with their points, and fifty earlier ones."""
    coming = session.execute(
        text(
            f"SELECT p.id, p.name, p.pickup_on, {PUBLISHED} AS is_published FROM pool p"  # noqa: S608 - constants only
            " WHERE p.pickup_on >= :today AND p.opened_at IS NOT NULL ORDER BY p.pickup_on, p.id LIMIT 20"
        ),
        {"today": today},
    ).all()
    points = _points(session, [row.id for row in coming if row.is_published])
    earlier = session.execute(
        text(
            "SELECT p.id, p.name, s.name AS season, p.pickup_on, count(*) OVER () AS total FROM pool p"  # noqa: S608 - constants only
            f" JOIN season s ON s.id = p.season_id WHERE p.pickup_on < :today AND {PUBLISHED}"
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
    session: Session, pool_id: int, sought: str, *, number: int, point_id: int | None = None, most: int = A_PAGE
) -> PackingPage:
    """Return households of a pool, fifty unless told, with what waits for them, by pickup point."""
    pool = session.execute(
        text(
            f"SELECT p.id, p.name, s.name AS season, p.pickup_on, {PUBLISHED} AS is_published FROM pool p"  # noqa: S608 - constants only
            " JOIN season s ON s.id = p.season_id WHERE p.id = :pool AND p.opened_at IS NOT NULL"
        ),
        {"pool": pool_id},
    ).first()
    if pool is None:
        raise NotFound
    rows = session.execute(
        text(
            "SELECT o.id, hh.name AS household, coalesce(pt.name, '') AS point, count(*) OVER () AS total"  # noqa: S608 - constants only
            f" FROM household_order o JOIN household hh ON hh.id = o.household_id{CHOSEN}"
            " WHERE o.pool_id = :pool AND (CAST(:point AS bigint) IS NULL OR coalesce(pt.id, 0) = :point) AND hh.name ILIKE :like"
            " AND EXISTS (SELECT FROM allocation_run r JOIN order_line l ON l.order_id = o.id JOIN award a ON a.run_id = r.id"
            "   AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0"
            "   WHERE r.pool_id = o.pool_id AND r.state = 'published')"
            " ORDER BY pt.name NULLS LAST, lower(hh.name), o.id LIMIT :most OFFSET :skipped"
        ),
        {"pool": pool_id, "point": point_id, "like": anywhere(sought), "most": most, "skipped": most * (number - 1)},
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
        sheets=_sheets(rows, packed(session, [row.id for row in rows])),
        part=Slice(number, most, rows[0].total if rows else 0),
    )


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
         GROUP BY o.id) o {CHOSEN}
 GROUP BY o.pool_id, pt.id, pt.name, pt.place ORDER BY o.pool_id, pt.name NULLS LAST
""")  # noqa: S608 - put together from the text above only


def _points(session: Session, pool_ids: Sequence[int]) -> dict[int, list[PointRow]]:
    """Count households and pieces by pool and pickup point."""
    found: dict[int, list[PointRow]] = defaultdict(list)
    if not pool_ids:
        return found
    rows = session.execute(_BY_POINT, {"pools": pool_ids})
    for pool_id, *point in rows:
        found[pool_id].append(PointRow(*point))
    return found


def _sheets(rows: Sequence[Any], lines: dict[int, list[PackedLine]]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for row in rows:
        if not sheets or sheets[-1].point != row.point:
            sheets.append(Sheet(row.point, []))
        sheets[-1].orders.append(PackedOrder(row.id, row.household, lines[row.id]))
    return sheets

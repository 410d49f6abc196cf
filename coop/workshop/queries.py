"""What a maker's people see of their batches: plan, demand, report."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer, may_report_yield
from coop.makers.queries import batch_state

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as its maker sees it; `wanted` are all wishes, `up_to` what members would take if there is plenty."""

    id: int
    lot_number: str
    product: str
    picture: str | None
    unit_one: str
    unit_many: str
    maker_id: int
    maker: str
    state: str
    planned: int
    pessimistic: int | None
    wanted: int
    up_to: int
    reported: int | None
    released: int | None
    pool_id: int | None
    pool: str
    closes_at: datetime | None
    pickup_on: date | None
    orders_closed: bool

    @property
    def short(self) -> int:
        """How many pieces are missing for all wishes, by the report or else the plan."""
        made = self.planned if self.reported is None else self.reported
        return max(0, self.wanted - made)

    @property
    def is_to_report(self) -> bool:
        """Whether the co-op waits for this number."""
        return self.reported is None and self.orders_closed

    def counted(self, pieces: int) -> str:
        """Write a number of pieces with its word."""
        return f"{pieces:,} {self.unit_one if pieces == 1 else self.unit_many}"


@dataclass(frozen=True, slots=True)
class WorkshopPage:
    makers: list[tuple[int, str]]
    sought: str
    to_report: list[BatchRow]
    rows: list[BatchRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class ReportRow:
    n: int
    pieces: int
    broken: int
    made_on: date | None
    best_before: date | None
    reason: str | None
    reported_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    batch: BatchRow
    story: str
    reports: list[ReportRow]
    is_published: bool


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The form for a new batch: whose it will be, and what that workshop makes."""

    artisan_id: int
    maker: str
    products: list[tuple[int, str]]


_BATCH = """
SELECT b.id, b.lot_number, b.planned, b.pessimistic, b.started_at, b.story, p.name AS product, p.picture, p.unit_one, p.unit_many,
       a.id AS maker_id, a.name AS maker, y.pieces AS reported, r.pieces AS released, o.id AS pool_id,
       coalesce(o.name, '') AS pool, o.closes_at, o.pickup_on,
       coalesce(o.closed_at IS NOT NULL OR o.closes_at < :at, false) AS orders_closed,
       coalesce(w.wanted, 0) AS wanted, coalesce(w.up_to, 0) AS up_to, count(*) OVER () AS total
  FROM batch b JOIN product p ON p.id = b.product_id JOIN artisan a ON a.id = p.artisan_id
  LEFT JOIN offering f ON f.batch_id = b.id LEFT JOIN pool o ON o.id = f.pool_id
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = b.id ORDER BY version DESC LIMIT 1) r ON true
  LEFT JOIN LATERAL (SELECT sum(wish) AS wanted, sum(up_to) AS up_to FROM order_line WHERE offering_id = f.id) w ON true
"""


def workshop_page(
    session: Session, artisan_ids: Collection[int], sought: str, *, number: int, at: datetime
) -> WorkshopPage:
    """Return the batches of the workshops a person speaks for: those to report first, then fifty of all."""
    asked = {"makers": list(artisan_ids), "at": at, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    makers = session.execute(
        text("SELECT id, name FROM artisan WHERE id = ANY(:makers) AND left_at IS NULL ORDER BY lower(name)"), asked
    )
    waiting = (
        " WHERE p.artisan_id = ANY(:makers) AND y.pieces IS NULL AND o.closes_at < :at ORDER BY o.closes_at LIMIT 20"
    )
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    everything = (
        " WHERE p.artisan_id = ANY(:makers) AND (p.name ILIKE :like OR b.lot_number ILIKE :like)"
        " ORDER BY o.closes_at DESC NULLS FIRST, b.id DESC LIMIT :most OFFSET :skipped"
    )
    found = session.execute(text(_BATCH + everything), asked | {"like": like}).all()
    return WorkshopPage(
        makers=[(row.id, row.name) for row in makers],
        sought=sought,
        to_report=[_row(row) for row in session.execute(text(_BATCH + waiting), asked)],
        rows=[_row(row) for row in found],
        part=Slice(number, A_PAGE, found[0].total if found else 0),
    )


def batch_page(session: Session, batch_id: int, *, at: datetime) -> BatchPage:
    """Return one batch with every report of its yield, the latest first."""
    row = session.execute(text(_BATCH + " WHERE b.id = :id"), {"id": batch_id, "at": at}).first()
    if row is None:
        raise NotFound
    reports = session.execute(
        text(
            "SELECT y.n, y.pieces, y.broken, y.made_on, y.best_before, y.reason, y.reported_at,"
            " coalesce(p.name, 'brought in from files') AS by FROM yield_report y LEFT JOIN person p ON p.id = y.reported_by"
            " WHERE y.batch_id = :id ORDER BY y.n DESC LIMIT 50"
        ),
        {"id": batch_id},
    )
    return BatchPage(_row(row), row.story, [ReportRow(*report) for report in reports], row.released is not None)


def plan_page(session: Session, artisan_id: int) -> PlanPage:
    """Return what a workshop could plan a batch of."""
    maker = session.scalar(text("SELECT name FROM artisan WHERE id = :id AND left_at IS NULL"), {"id": artisan_id})
    if maker is None:
        raise NotFound
    products = session.execute(
        text("SELECT id, name FROM product WHERE artisan_id = :id ORDER BY lower(name), id"), {"id": artisan_id}
    )
    return PlanPage(artisan_id, maker, [(row.id, row.name) for row in products])


def may_report(session: Session, viewer: Viewer, /, *, batch_id: int) -> bool:
    """Whether a batch is of a workshop this person speaks for, or the person runs the season."""
    maker = "SELECT p.artisan_id FROM batch b JOIN product p ON p.id = b.product_id WHERE b.id = :id"
    artisan_id = session.scalar(text(maker), {"id": batch_id})
    return artisan_id is not None and may_report_yield(viewer, artisan_id)


def may_plan(session: Session, viewer: Viewer, /, *, artisan_id: int) -> bool:
    """Whether this person speaks for a workshop, or runs the season."""
    here = session.scalar(text("SELECT 1 FROM artisan WHERE id = :id AND left_at IS NULL"), {"id": artisan_id})
    return here is not None and may_report_yield(viewer, artisan_id)


def _row(row: Any) -> BatchRow:
    return BatchRow(
        id=row.id,
        lot_number=row.lot_number,
        product=row.product,
        picture=row.picture,
        unit_one=row.unit_one,
        unit_many=row.unit_many,
        maker_id=row.maker_id,
        maker=row.maker,
        state=batch_state(row.started_at, row.reported, row.released),
        planned=row.planned,
        pessimistic=row.pessimistic,
        wanted=int(row.wanted),
        up_to=int(row.up_to),
        reported=row.reported,
        released=row.released,
        pool_id=row.pool_id,
        pool=row.pool,
        closes_at=row.closes_at,
        pickup_on=row.pickup_on,
        orders_closed=row.orders_closed,
    )

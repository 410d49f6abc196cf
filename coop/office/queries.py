"""What the admin's first page and the pages of the pools show."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere
from coop.core.pool_state import pool_state

A_PAGE: Final = 50

POOLS: Final = """
SELECT p.id, p.name, s.name AS season, p.opens_at, p.closes_at, p.pickup_on, p.opened_at, p.closed_at,
       r.id AS run_id, r.state AS run_state,
       coalesce(r.state = 'published' AND EXISTS (
         SELECT 1 FROM household_order o JOIN hand_over h ON h.order_id = o.id WHERE o.pool_id = p.id), false) AS handed,
       (SELECT count(*) FROM offering f WHERE f.pool_id = p.id) AS batches
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN LATERAL (
    SELECT id, state FROM allocation_run WHERE pool_id = p.id AND state NOT IN ('failed', 'cancelled', 'superseded')
     ORDER BY id DESC LIMIT 1) r ON true
"""


@dataclass(frozen=True, slots=True)
class PoolRow:
    id: int
    name: str
    season: str
    state: str
    opens_at: datetime
    closes_at: datetime
    pickup_on: date
    batches: int
    households: int


@dataclass(frozen=True, slots=True)
class PoolsPage:
    sought: str
    rows: list[PoolRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class OfferingRow:
    id: int
    batch_id: int
    product: str
    lot_number: str
    maker: str
    price_minor: int
    deposit_minor: int
    cap: int | None
    rule: str | None
    planned: int
    made: int | None
    wanted: int


@dataclass(frozen=True, slots=True)
class PoolPage:
    id: int
    name: str
    season: str
    rule: str
    state: str
    opens_at: datetime
    opened_at: datetime | None
    closes_at: datetime
    is_past_cut_off: bool
    closed_at: datetime | None
    close_reason: str
    pickup_on: date
    run_id: int | None
    batches: int
    yields_in: int
    households: int
    wanted: int
    at_most_minor: int
    sought: str
    rows: list[OfferingRow]
    part: Slice


def pools_page(session: Session, sought: str, *, number: int, at: datetime, today: date) -> PoolsPage:
    """Return fifty pools, the last to close first."""
    rows = session.execute(
        text(
            f"WITH pools AS ({POOLS} WHERE :like = '%%' OR p.name ILIKE :like OR s.name ILIKE :like)"  # noqa: S608 - constants only
            " SELECT *, count(*) OVER () AS total, (SELECT count(*) FROM household_order o WHERE o.pool_id = pools.id) AS households"
            " FROM pools ORDER BY closes_at DESC, id DESC LIMIT :most OFFSET :skipped"
        ),
        {"like": anywhere(sought), "most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    shown = [
        PoolRow(
            id=row.id,
            name=row.name,
            season=row.season,
            state=state_of(row, at=at, today=today),
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            pickup_on=row.pickup_on,
            batches=row.batches,
            households=row.households,
        )
        for row in rows
    ]
    return PoolsPage(sought, shown, Slice(number, A_PAGE, rows[0].total if rows else 0))


def state_of(row: Any, *, at: datetime, today: date) -> str:
    """Say where a pool read by `POOLS` stands."""
    return pool_state(
        row.opened_at,
        row.closed_at,
        row.run_state,
        closes_at=row.closes_at,
        at=at,
        hand_over_begun=row.handed,
        pickup_on=row.pickup_on,
        today=today,
    )


_OF_POOL = text("""
SELECT s.rule,
       (SELECT count(*) FROM offering f WHERE f.pool_id = p.id
           AND EXISTS (SELECT 1 FROM yield_report y WHERE y.batch_id = f.batch_id)) AS yields_in,
       (SELECT count(*) FROM household_order o WHERE o.pool_id = p.id) AS households,
       w.wanted, w.at_most,
       coalesce((SELECT detail ->> 'reason' FROM audit_record
         WHERE subject_kind = 'pool' AND subject_id = p.id AND act = 'close_pool' LIMIT 1), '') AS close_reason
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN LATERAL (
    SELECT coalesce(sum(l.wish), 0)::bigint AS wanted,
           coalesce(sum(coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor))), 0)::bigint AS at_most
      FROM household_order o JOIN order_line l ON l.order_id = o.id WHERE o.pool_id = p.id) w ON true
 WHERE p.id = :pool
""")

_OFFERINGS = text("""
SELECT f.id, b.id AS batch_id, d.name AS product, b.lot_number, a.name AS maker, f.price_minor, f.deposit_minor, f.cap, f.rule,
       b.planned, y.pieces AS made,
       (SELECT coalesce(sum(l.wish), 0)::bigint FROM order_line l WHERE l.offering_id = f.id) AS wanted, f.total
  FROM (SELECT f.*, count(*) OVER () AS total FROM offering f
          JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id JOIN artisan a ON a.id = d.artisan_id
         WHERE f.pool_id = :pool AND (:like = '%%' OR d.name ILIKE :like OR a.name ILIKE :like OR b.lot_number ILIKE :like)
         ORDER BY a.name, d.name, b.lot_number LIMIT :most OFFSET :skipped) f
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  JOIN artisan a ON a.id = d.artisan_id
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
 ORDER BY a.name, d.name, b.lot_number
""")


def pool_page(session: Session, pool_id: int, sought: str, *, number: int, at: datetime, today: date) -> PoolPage:
    """Return a pool with what is offered in it, fifty a page, and what was asked of it so far."""
    row = session.execute(text(f"{POOLS} WHERE p.id = :pool"), {"pool": pool_id}).first()
    if row is None:
        raise NotFound
    more = session.execute(_OF_POOL, {"pool": pool_id}).one()
    asked = {"pool": pool_id, "like": anywhere(sought), "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    offered = session.execute(_OFFERINGS, asked).all()
    return PoolPage(
        id=row.id,
        name=row.name,
        season=row.season,
        rule=more.rule,
        state=state_of(row, at=at, today=today),
        opens_at=row.opens_at,
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        is_past_cut_off=at > row.closes_at,
        closed_at=row.closed_at,
        close_reason=more.close_reason,
        pickup_on=row.pickup_on,
        run_id=row.run_id,
        batches=row.batches,
        yields_in=more.yields_in,
        households=more.households,
        wanted=more.wanted,
        at_most_minor=more.at_most,
        sought=sought,
        rows=[OfferingRow(*one[:12]) for one in offered],
        part=Slice(number, A_PAGE, offered[0].total if offered else 0),
    )

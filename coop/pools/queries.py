"""What the admin's pages about planning a pool show."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PlanPage:
    seasons: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class PoolHeading:
    """A pool as the pages that change it name it."""

    id: int
    name: str
    season: str
    rule: str
    closes_at: datetime
    is_early: bool
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchToOffer:
    id: int
    product: str
    lot_number: str
    maker: str
    planned: int
    made: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class BatchesPage:
    pool: PoolHeading
    sought: str
    rows: list[BatchToOffer]
    part: Slice


@dataclass(frozen=True, slots=True)
class OfferPage:
    pool: PoolHeading
    batch: BatchToOffer
    deposit_minor: int
    is_resale: bool


def plan_page(session: Session, *, today: date) -> PlanPage:
    """Return the seasons a pool can still be planned in, the next to end first."""
    rows = session.execute(text("SELECT id, name FROM season WHERE ends >= :today ORDER BY ends, id"), {"today": today})
    return PlanPage([(row.id, row.name) for row in rows])


def pool_heading(session: Session, pool_id: int, *, at: datetime) -> PoolHeading:
    """Return a pool's name, season and cut-off."""
    row = session.execute(
        text(
            "SELECT p.id, p.name, s.name AS season, s.rule, p.closes_at, p.closes_at > :at AS is_early, p.opened_at"
            " FROM pool p JOIN season s ON s.id = p.season_id WHERE p.id = :pool"
        ),
        {"pool": pool_id, "at": at},
    ).first()
    if row is None:
        raise NotFound
    return PoolHeading(*row)


_MODEL = text("""
SELECT t.model FROM batch b JOIN product p ON p.id = b.product_id JOIN artisan_terms t ON t.artisan_id = p.artisan_id
 WHERE b.id = :batch AND t.effective_from <= :at ORDER BY t.effective_from DESC LIMIT 1
""")

_FREE = text("""
SELECT b.id, p.name AS product, b.lot_number, a.name AS maker, b.planned, y.pieces AS made, p.unit_many AS unit,
       p.deposit_minor, count(*) OVER () AS total
  FROM batch b
  JOIN product p ON p.id = b.product_id
  JOIN artisan a ON a.id = p.artisan_id AND a.left_at IS NULL
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
 WHERE (b.id = CAST(:batch AS bigint) OR (:batch IS NULL AND NOT EXISTS (SELECT 1 FROM offering WHERE batch_id = b.id)))
   AND (:like = '%%' OR p.name ILIKE :like OR a.name ILIKE :like OR b.lot_number ILIKE :like)
 ORDER BY b.planned_at DESC, b.id DESC
 LIMIT :most OFFSET :skipped
""")


def batches_page(session: Session, pool_id: int, sought: str, *, number: int, at: datetime) -> BatchesPage:
    """Return fifty batches that no pool offers yet, the latest planned first."""
    asked = {"like": anywhere(sought), "batch": None, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    rows = session.execute(_FREE, asked).all()
    shown = [BatchToOffer(*row[:7]) for row in rows]
    pool = pool_heading(session, pool_id, at=at)
    return BatchesPage(pool, sought, shown, Slice(number, A_PAGE, rows[0].total if rows else 0))


def offer_page(session: Session, pool_id: int, batch_id: int, *, at: datetime) -> OfferPage:
    """Return a batch as it is about to be offered, with its product's own deposit."""
    row = session.execute(_FREE, {"like": "%%", "batch": batch_id, "most": 1, "skipped": 0}).first()
    if row is None:
        raise NotFound
    model = session.scalar(_MODEL, {"batch": batch_id, "at": at})
    return OfferPage(
        pool_heading(session, pool_id, at=at), BatchToOffer(*row[:7]), row.deposit_minor, model == "resale"
    )

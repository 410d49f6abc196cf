"""What anyone may read about makers and their batches."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice

A_PAGE: Final = 50
PLANNED, IN_WORK, REPORTED, RELEASED = "planned", "in_work", "reported", "released"


@dataclass(frozen=True, slots=True)
class MakerCard:
    id: int
    name: str
    craft: str
    town: str
    distance_km: int | None
    picture: str | None
    products: int


@dataclass(frozen=True, slots=True)
class MakersPage:
    sought: str
    rows: list[MakerCard]
    part: Slice


@dataclass(frozen=True, slots=True)
class BatchCard:
    id: int
    lot_number: str
    product: str
    line: str
    picture: str | None
    maker_id: int
    maker: str
    distance_km: int | None
    state: str
    pieces: int
    unit: str
    wanted: int
    pool_id: int | None
    pool_is_open: bool


@dataclass(frozen=True, slots=True)
class BatchesPage:
    sought: str
    rows: list[BatchCard]
    part: Slice


@dataclass(frozen=True, slots=True)
class MakerPage:
    id: int
    name: str
    craft: str
    town: str
    distance_km: int | None
    story: list[str]
    picture: str | None
    joined_at: datetime
    products: list[tuple[str, str]]
    batches: list[BatchCard]


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    card: BatchCard
    steps: list[Step]
    story: list[str]
    product_story: list[str]
    planned: int
    reported: int | None
    broken: int
    released: int | None
    made_on: date | None
    best_before: date | None
    min_age: int | None
    price_minor: int | None
    deposit_minor: int
    pool: str
    closes_at: datetime | None


_MAKERS = """
SELECT a.id, a.name, a.craft, a.town, a.distance_km, a.picture,
       (SELECT count(*) FROM product p WHERE p.artisan_id = a.id) AS products, count(*) OVER () AS total,
       (SELECT p.picture FROM product p WHERE p.artisan_id = a.id AND p.picture IS NOT NULL ORDER BY p.id LIMIT 1) AS sample
  FROM artisan a WHERE a.left_at IS NULL AND (:like = '%%' OR a.name ILIKE :like OR a.craft ILIKE :like OR a.town ILIKE :like)
 ORDER BY a.picture IS NULL, lower(a.name), a.id LIMIT :most OFFSET :skipped
"""

_BATCHES = """
SELECT b.id, b.lot_number, b.planned, b.started_at, b.story, p.name AS product, p.line, p.story AS product_story,
       p.picture, p.unit_one, p.unit_many, p.min_age, a.id AS maker_id, a.name AS maker, a.distance_km,
       y.pieces AS reported, coalesce(y.broken, 0) AS broken, y.made_on, y.best_before, r.pieces AS released,
       f.price_minor, coalesce(f.deposit_minor, 0) AS deposit_minor, o.id AS pool_id, o.name AS pool, o.closes_at,
       o.opened_at IS NOT NULL AND o.closed_at IS NULL AND o.closes_at >= :at AS pool_is_open,
       (SELECT coalesce(sum(l.wish), 0) FROM order_line l WHERE l.offering_id = f.id) AS wanted
  FROM batch b JOIN product p ON p.id = b.product_id JOIN artisan a ON a.id = p.artisan_id
  LEFT JOIN offering f ON f.batch_id = b.id LEFT JOIN pool o ON o.id = f.pool_id
  LEFT JOIN LATERAL (SELECT * FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = b.id ORDER BY version DESC LIMIT 1) r ON true
"""

_LATEST = """
SELECT b.id, count(*) OVER () AS total FROM batch b JOIN product p ON p.id = b.product_id
  JOIN artisan a ON a.id = p.artisan_id LEFT JOIN offering f ON f.batch_id = b.id LEFT JOIN pool o ON o.id = f.pool_id
 WHERE (:maker = 0 OR p.artisan_id = :maker)
   AND (NOT :open OR (o.opened_at IS NOT NULL AND o.closed_at IS NULL AND o.closes_at >= :at)) AND (:like = '%%' OR p.name ILIKE :like OR a.name ILIKE :like OR b.lot_number ILIKE :like)
 ORDER BY o.closes_at DESC NULLS FIRST, p.picture IS NULL, b.id DESC LIMIT :most OFFSET :skipped
"""


def makers_page(session: Session, sought: str, *, number: int) -> MakersPage:
    """Return fifty makers of the co-op, those with a picture first."""
    found = session.execute(text(_MAKERS), _asked(sought, number)).all()
    rows = [
        MakerCard(row.id, row.name, row.craft, row.town, row.distance_km, row.picture or row.sample, row.products)
        for row in found
    ]
    return MakersPage(sought, rows, Slice(number, A_PAGE, found[0].total if found else 0))


def maker_page(session: Session, artisan_id: int, *, at: datetime) -> MakerPage:
    """Return a maker with its story, what it makes and its latest batches."""
    row = session.execute(
        text(
            "SELECT a.id, a.name, a.craft, a.town, a.distance_km, a.story, a.picture, a.joined_at,"
            " (SELECT coalesce(json_agg(json_build_array(q.name, q.line) ORDER BY lower(q.name), q.id), '[]')"
            "    FROM (SELECT * FROM product WHERE artisan_id = a.id ORDER BY lower(name), id LIMIT 50) q) AS products"
            " FROM artisan a WHERE a.id = :id AND a.left_at IS NULL"
        ),
        {"id": artisan_id},
    ).first()
    if row is None:
        raise NotFound
    latest, _ = latest_batches(session, at=at, most=12, maker_id=artisan_id)
    return MakerPage(
        id=row.id,
        name=row.name,
        craft=row.craft,
        town=row.town,
        distance_km=row.distance_km,
        story=paragraphs(row.story),
        picture=row.picture,
        joined_at=row.joined_at,
        products=[(name, line) for name, line in row.products],
        batches=latest,
    )


def batches_page(session: Session, sought: str, *, number: int, at: datetime) -> BatchesPage:
    """Return fifty batches, those that nobody could order yet and those of the latest pool first."""
    rows, total = latest_batches(session, at=at, sought=sought, number=number)
    return BatchesPage(sought, rows, Slice(number, A_PAGE, total))


def latest_batches(
    session: Session,
    *,
    at: datetime,
    most: int = A_PAGE,
    maker_id: int = 0,
    sought: str = "",
    number: int = 1,
    only_open: bool = False,
) -> tuple[list[BatchCard], int]:
    """Return a part of all batches, or of those open for orders, the latest first, and how many there are."""
    asked = _asked(sought, number) | {"maker": maker_id, "most": most, "skipped": most * (number - 1)}
    found = session.execute(text(_LATEST), asked | {"open": only_open, "at": at}).all()
    ids = [row.id for row in found]
    rows = session.execute(text(_BATCHES + " WHERE b.id = ANY(:ids)"), {"ids": ids, "at": at})
    cards = {row.id: _card(row) for row in rows}
    return [cards[batch_id] for batch_id in ids], found[0].total if found else 0


def batch_page(session: Session, batch_id: int, *, at: datetime) -> BatchPage:
    """Return a batch with its story and the three facts about its pieces: planned, reported, released."""
    row = session.execute(text(_BATCHES + " WHERE b.id = :id"), {"id": batch_id, "at": at}).first()
    if row is None:
        raise NotFound
    card = _card(row)
    return BatchPage(
        card=card,
        steps=_steps(card.state),
        story=paragraphs(row.story),
        product_story=paragraphs(row.product_story),
        planned=row.planned,
        reported=row.reported,
        broken=row.broken,
        released=row.released,
        made_on=row.made_on,
        best_before=row.best_before,
        min_age=row.min_age,
        price_minor=row.price_minor,
        deposit_minor=row.deposit_minor,
        pool=row.pool or "",
        closes_at=row.closes_at,
    )


def batch_state(started_at: datetime | None, reported: int | None, released: int | None) -> str:
    """Say how far a batch is: planned, in work, reported or released."""
    if released is not None:
        return RELEASED
    if reported is not None:
        return REPORTED
    return PLANNED if started_at is None else IN_WORK


def paragraphs(story: str) -> list[str]:
    """Split a story at its empty lines."""
    return [part.strip() for part in story.split("\n\n") if part.strip()]


def _card(row: Any) -> BatchCard:
    facts = (row.released, row.reported, row.planned)
    pieces = next(fact for fact in facts if fact is not None)
    return BatchCard(
        id=row.id,
        lot_number=row.lot_number,
        product=row.product,
        line=row.line,
        picture=row.picture,
        maker_id=row.maker_id,
        maker=row.maker,
        distance_km=row.distance_km,
        state=batch_state(row.started_at, row.reported, row.released),
        pieces=pieces,
        unit=row.unit_one if pieces == 1 else row.unit_many,
        wanted=int(row.wanted),
        pool_id=row.pool_id,
        pool_is_open=bool(row.pool_is_open),
    )


def _steps(state: str) -> list[Step]:
    order = ((PLANNED, "planned"), (IN_WORK, "in work"), (REPORTED, "yield reported"), (RELEASED, "released"))
    reached = [name for name, _ in order].index(state)
    return [
        Step(label, "done" if place < reached else "now" if place == reached else "ahead")
        for place, (_, label) in enumerate(order)
    ]


def _asked(sought: str, number: int) -> dict[str, Any]:
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}

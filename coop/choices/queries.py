"""What the page about alternatives shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class InsteadPage:
    """A wish and what may stand in for it; `batches` are (offering, name), `chosen` those named already, in their order."""

    pool_id: int
    pool: str
    offering_id: int
    product: str
    maker: str
    wish: int
    unit: str
    is_open: bool
    batches: Sequence[tuple[int, str]]
    chosen: Sequence[int]


_WISH = text("""
SELECT p.name AS pool, f.id, d.name AS product, a.name AS maker, l.wish, d.unit_one, d.unit_many, l.choice, l.order_id,
       p.closed_at IS NULL AND p.opened_at IS NOT NULL AS is_open
  FROM household_order o JOIN pool p ON p.id = o.pool_id JOIN order_line asked ON asked.order_id = o.id
  JOIN order_line l ON l.order_id = o.id AND (l.id = asked.id AND asked.choice IS NULL OR l.choice = asked.choice AND l.rank = 1)
  JOIN offering f ON f.id = l.offering_id JOIN product d ON d.id = f.product_id JOIN artisan a ON a.id = d.artisan_id
 WHERE o.pool_id = :pool AND o.household_id = :household AND asked.offering_id = :offering AND asked.wish > 0
""")

_BATCHES = text("""
SELECT f.id, d.name || ', ' || a.name || ', lot ' || b.lot_number
  FROM offering f JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id JOIN artisan a ON a.id = d.artisan_id
  JOIN pool p ON p.id = f.pool_id JOIN season s ON s.id = p.season_id
 WHERE f.pool_id = :pool AND f.id <> :offering AND coalesce(f.rule, s.rule) = 'leximin/webster@1'
 ORDER BY lower(d.name), f.id
""")

_CHOSEN = text(
    "SELECT offering_id FROM order_line WHERE order_id = :order AND choice = :choice AND rank > 1 ORDER BY rank"
)


def instead_page(session: Session, pool_id: int, offering_id: int, household_id: int) -> InsteadPage:
    """Return a household's own wish, by any of its alternatives, with everything that could stand in for it."""
    asked = {"pool": pool_id, "offering": offering_id, "household": household_id}
    wish = session.execute(_WISH, asked).first()
    if wish is None:
        raise NotFound
    batches = session.execute(_BATCHES, asked | {"offering": wish.id}).all()
    return InsteadPage(
        pool_id=pool_id,
        pool=wish.pool,
        offering_id=wish.id,
        product=wish.product,
        maker=wish.maker,
        wish=wish.wish,
        unit=wish.unit_one if wish.wish == 1 else wish.unit_many,
        is_open=wish.is_open,
        batches=[(n, name) for n, name in batches],
        chosen=list(session.scalars(_CHOSEN, {"order": wish.order_id, "choice": wish.choice})),
    )

"""The season's largest pool once more, open for orders: the page that members look at most shows a form then."""

from sqlalchemy import text

from coop.commands.running import Running

_POOL = text("""
INSERT INTO pool (season_id, name, opens_at, closes_at, pickup_on, opened_at, opened_by)
SELECT season_id, name || ' again', now() - interval '1 day', now() + interval '1 day', current_date + 3, now() - interval '1 day', 0
  FROM pool WHERE id = (SELECT pool_id FROM offering GROUP BY pool_id ORDER BY count(*) DESC, pool_id LIMIT 1)
RETURNING id
""")

_BATCHES = text("""
INSERT INTO batch (product_id, lot_number, planned)
SELECT b.product_id, b.lot_number || '-again', b.planned FROM batch b JOIN offering f ON f.batch_id = b.id
 WHERE f.pool_id = :like
""")

_OFFERINGS = text("""
INSERT INTO offering (pool_id, product_id, batch_id, terms_id, price_minor, deposit_minor, cap, surplus)
SELECT :pool, f.product_id, n.id, f.terms_id, f.price_minor, f.deposit_minor, f.cap, f.surplus
  FROM offering f JOIN batch b ON b.id = f.batch_id JOIN batch n ON n.lot_number = b.lot_number || '-again'
 WHERE f.pool_id = :like
""")

_ORDERS = text("""
INSERT INTO household_order (pool_id, household_id, placed_at)
SELECT :pool, household_id, now() FROM household_order WHERE pool_id = :like
""")

_LINES = text("""
INSERT INTO order_line (order_id, offering_id, wish, up_to, unit_minor, deposit_minor)
SELECT n.id, t.id, l.wish, l.up_to, l.unit_minor, l.deposit_minor
  FROM household_order o JOIN order_line l ON l.order_id = o.id
  JOIN offering f ON f.id = l.offering_id JOIN offering t ON t.pool_id = :pool AND t.product_id = f.product_id
  JOIN household_order n ON n.pool_id = :pool AND n.household_id = o.household_id
 WHERE o.pool_id = :like
""")

_LIKE = text("SELECT pool_id FROM offering GROUP BY pool_id ORDER BY count(*) DESC, pool_id LIMIT 1")


def open_again(coop: Running) -> int:
    """Open a pool with the batches and the orders of the largest one; nothing is held for them."""
    with coop.db.begin() as session:
        like = session.scalar(_LIKE)
        pool: int = session.scalars(_POOL).one()
        for statement in (_BATCHES, _OFFERINGS, _ORDERS, _LINES):
            session.execute(statement, {"pool": pool, "like": like})
    return pool

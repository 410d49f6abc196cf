"""Write what the recipes of season shares ask for into a pool that has opened, household by household, each told by mail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import jobs
from coop.audit import service as audit
from coop.core.claims import TOGETHER_RULE
from coop.core.errors import RuleBroken
from coop.core.recipes import Asked, OnOffer, Portion, wishes_of
from coop.db import Db
from coop.jobs import Lease
from coop.orders import service as orders
from coop.orders.models import HouseholdOrder
from coop.people import service as people
from coop.pools.models import Offering, Pool
from coop.wishes.service import Wish

_HOLDERS = text("""
SELECT DISTINCT h.household_id
  FROM pool p JOIN share_size z ON z.season_id = p.season_id JOIN season_share h ON h.size_id = z.id
 WHERE p.id = :pool AND h.taken_at <= p.opened_at AND (h.ended_at IS NULL OR h.ended_at > p.opened_at)
   AND EXISTS (SELECT FROM recipe_line l WHERE l.size_id = z.id)
   AND NOT EXISTS (SELECT FROM household_order o WHERE o.pool_id = p.id AND o.household_id = h.household_id)
 ORDER BY h.household_id
""")

_PARTS = text("""
SELECT z.id, l.part, l.product_id, l.pieces
  FROM pool p JOIN share_size z ON z.season_id = p.season_id JOIN season_share h ON h.size_id = z.id
  JOIN recipe_line l ON l.size_id = z.id
 WHERE p.id = :pool AND h.household_id = :household
   AND h.taken_at <= p.opened_at AND (h.ended_at IS NULL OR h.ended_at > p.opened_at)
 ORDER BY z.id, l.part, l.rank
""")

_OFFERED = text("""
SELECT f.id, f.product_id, f.cap, coalesce(f.rule, s.rule) = :together AS is_together
  FROM offering f JOIN batch b ON b.id = f.batch_id JOIN pool p ON p.id = f.pool_id JOIN season s ON s.id = p.season_id
 WHERE f.pool_id = :pool ORDER BY b.lot_number
""")


def carry_out(db: Db, lease: Lease) -> None:
    """Write the recipes of all who held a share when the pool opened and have not ordered in it. Repeating it changes nothing."""
    with db() as session:
        is_open = _is_open(session, lease.row_id, lease.at)
        holders = list(session.scalars(_HOLDERS, {"pool": lease.row_id})) if is_open else []
        rows = session.execute(_OFFERED, {"pool": lease.row_id, "together": TOGETHER_RULE})
        offered = [OnOffer(*row) for row in rows]
    for household_id in holders:
        with db.begin() as session:
            apply_recipe(session, lease.row_id, household_id, offered, at=lease.at)
    with db.begin() as session:
        jobs.finish(session, lease)


def apply_recipe(
    session: Session, pool_id: int, household_id: int, offered: Sequence[OnOffer], *, at: datetime
) -> None:
    """Write one household's recipe whole, or keep why not; a household that has an order in the pool keeps it as it is."""
    people.lock_household(session, household_id)
    if not _is_open(session, pool_id, at) or _has_ordered(session, pool_id, household_id):
        return
    wishes = _wishes(session, pool_id, household_id, offered)
    if not wishes:
        return
    try:
        with session.begin_nested():
            orders.write_order(session, pool_id, wishes, household_id=household_id, by=0, at=at)
    except RuleBroken as broken:
        session.add(HouseholdOrder(pool_id=pool_id, household_id=household_id, placed_at=at))
        session.flush()
        _note(session, pool_id, household_id, "no_credit" if broken.code == "insufficient_credit" else "refused")
    else:
        _note(session, pool_id, household_id, "written")


def _is_open(session: Session, pool_id: int, at: datetime) -> bool:
    pool = session.get(Pool, pool_id)
    return pool is not None and pool.opened_at is not None and pool.closed_at is None and at <= pool.closes_at


def _has_ordered(session: Session, pool_id: int, household_id: int) -> bool:
    own = (HouseholdOrder.pool_id == pool_id, HouseholdOrder.household_id == household_id)
    return session.scalar(select(HouseholdOrder.id).where(*own)) is not None


def _wishes(session: Session, pool_id: int, household_id: int, offered: Sequence[OnOffer]) -> list[Wish]:
    """Read what the household's shares ask for of the pool."""
    parts: dict[tuple[int, int], list[Portion]] = {}
    for size_id, part, product_id, pieces in session.execute(_PARTS, {"pool": pool_id, "household": household_id}):
        parts.setdefault((size_id, part), []).append(Portion(product_id, pieces))
    return [_wish(session, asked) for asked in wishes_of(list(parts.values()), offered)]


def _wish(session: Session, asked: Asked) -> Wish:
    offering = session.get_one(Offering, asked.offering_id)
    prices = (offering.price_minor, offering.deposit_minor)
    return Wish(offering.id, asked.pieces, asked.pieces, *prices, choice=asked.choice, rank=asked.rank)


def _note(session: Session, pool_id: int, household_id: int, outcome: str) -> None:
    """Keep what came of a recipe, and tell its household."""
    own = (HouseholdOrder.pool_id == pool_id, HouseholdOrder.household_id == household_id)
    order = session.scalars(select(HouseholdOrder).where(*own)).one()
    order.recipe = outcome
    pool = session.get_one(Pool, pool_id)
    audit.record(session, "apply_recipe", by=0, subject=("order", order.id), detail={"outcome": outcome})
    template = "recipe_ordered" if outcome == "written" else "recipe_not_ordered"
    values = {"pool": pool.name, "pool_id": pool_id, "closes_at": pool.closes_at.isoformat(), "is_short": outcome == "no_credit"}  # fmt: skip
    people.tell_household(session, f"recipe:{pool_id}:{household_id}", template, household_id, values)

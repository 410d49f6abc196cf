"""Plan pools and what they offer, open them to orders, close them at the cut-off."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from coop import jobs, keys
from coop.agreements import service as agreements
from coop.audit import service as audit
from coop.batches.models import Batch
from coop.catalog import service as catalog
from coop.catalog.models import Product
from coop.core.claims import STANDING_RULE, rule_named
from coop.core.errors import NotFound, RuleBroken
from coop.core.payout import Model, agreed_cost
from coop.db import Db, copy_rows, locked, take_ids
from coop.draws import service as draws
from coop.fees import service as fees
from coop.fees.models import ArtisanTerms
from coop.pools.models import Offering, OfferingMaker, Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season


class NewPool(NamedTuple):
    name: str
    opens_at: datetime
    closes_at: datetime
    pickup_on: date


def plan_pool(
    session: Session, season_id: int, name: str, *, opens_at: datetime, closes_at: datetime, pickup_on: date
) -> int:
    """Plan an ordering window; nothing is visible to order in before it opens."""
    if opens_at >= closes_at:
        raise RuleBroken("bad_order", "A pool closes after it opens. Choose a later cut-off.", field="closes_at")
    if pickup_on < closes_at.date():
        raise RuleBroken("bad_order", "The pickup comes after the cut-off. Choose a later day.", field="pickup_on")
    pool = Pool(season_id=season_id, name=name, opens_at=opens_at, closes_at=closes_at, pickup_on=pickup_on)
    session.add(pool)
    session.flush()
    return pool.id


def offer(
    session: Session,
    pool_id: int,
    product_id: int,
    batch_id: int,
    *,
    price_minor: int,
    terms_id: int,
    deposit_minor: int | None = None,
    cost_minor: int | None = None,
    cap: int | None = None,
    rule: str | None = None,
    surplus: str = "next_pool",
) -> int:
    """Offer a product's batch in a pool that has not opened yet: price, containers, cap and rule stand from the opening on.

    The containers are the product's; another `deposit_minor` is one container of that deposit, and 0 none.
    """
    if session.get_one(Pool, pool_id).opened_at is not None:
        raise RuleBroken("in_use", "Orders have opened, so what is offered stands. Plan another pool instead.")
    product = session.get_one(Product, product_id)
    own = deposit_minor is None or deposit_minor == product.deposit_minor
    asked = product.deposit_minor if deposit_minor is None else deposit_minor
    out = catalog.containers(
        session, product.container_type_id if own else None, product.containers_each, deposit_minor=asked
    )
    offering = Offering(
        pool_id=pool_id,
        product_id=product_id,
        batch_id=batch_id,
        price_minor=price_minor,
        deposit_minor=out.deposit_minor if out else 0,
        container_type_id=out.type_id if out else None,
        containers_each=out.each if out else 1,
        cost_minor=agreed_cost(Model(session.get_one(ArtisanTerms, terms_id).model), cost_minor),
        terms_id=terms_id,
        cap=cap,
        rule=rule,
        surplus=surplus,
    )
    session.add(offering)
    session.flush()
    for maker in agreements.makers_of(session, product_id):
        session.add(OfferingMaker(offering_id=offering.id, n=maker.n, artisan_id=maker.artisan_id, part_bp=maker.part_bp))  # fmt: skip
    session.flush()
    return offering.id


def announce_pool(
    db: Db,
    season_id: int,
    name: str,
    *,
    opens_at: datetime,
    closes_at: datetime,
    pickup_on: date,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Plan a pool of a season. Raises `name_taken`, `in_the_past` and `bad_order`."""
    with db.begin() as session:
        body = {"act": "announce_pool", "season": season_id, "name": name, "opens": opens_at, "closes": closes_at}
        if (earlier := keys.spend(session, by=by, key=key, body=body | {"pickup": pickup_on})) is not None:
            return earlier
        if session.get(Season, season_id) is None:
            raise NotFound
        if session.scalar(select(Pool.id).where(Pool.name == name)) is not None:
            raise RuleBroken("name_taken", f"There is already a pool called {name}.", field="name")
        if closes_at <= at:
            raise RuleBroken("in_the_past", "This cut-off has passed already. Choose a later one.", field="closes_at")
        pool_id = plan_pool(session, season_id, name, opens_at=opens_at, closes_at=closes_at, pickup_on=pickup_on)
        audit.record(session, "plan_pool", by=by, subject=("pool", pool_id), detail={"name": name})
        keys.answer(session, by=by, key=key, row_id=pool_id)
        return pool_id


def offer_batch(
    db: Db,
    pool_id: int,
    batch_id: int,
    *,
    price_minor: int,
    deposit_minor: int | None = None,
    cost_minor: int | None = None,
    cap: int | None = None,
    rule: str | None = None,
    surplus: str = "next_pool",
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Offer a batch in a pool under its maker's terms of today. Raises `no_cost`, `already_offered`, `in_use` and `no_memory`."""
    with db.begin() as session:
        body = {"act": "offer", "pool": pool_id, "batch": batch_id, "price": price_minor, "deposit": deposit_minor}
        if (earlier := keys.spend(session, by=by, key=key, body=body | {"cost": cost_minor, "cap": cap, "rule": rule, "to": surplus})) is not None:  # fmt: skip
            return earlier
        pool = _locked_pool(session, pool_id)
        batch = locked(session, Batch, batch_id, called="batch")
        if session.scalar(select(Offering.id).where(Offering.batch_id == batch_id)) is not None:
            raise RuleBroken("already_offered", f"The batch {batch.lot_number} is offered already. Choose another.")
        terms_id = fees.current_terms(session, session.get_one(Product, batch.product_id).artisan_id, at)
        offering_id = offer(
            session,
            pool_id,
            batch.product_id,
            batch_id,
            price_minor=price_minor,
            terms_id=terms_id,
            deposit_minor=deposit_minor,
            cost_minor=cost_minor,
            cap=cap,
            rule=_own_rule(session, pool, rule),
            surplus=surplus,
        )
        audit.record(session, "offer", by=by, subject=("offering", offering_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=offering_id)
        return offering_id


def withdraw_offering(db: Db, pool_id: int, offering_id: int, *, by: int) -> None:
    """Take an offering out of a pool that has not opened yet; withdrawing it twice changes nothing."""
    with db.begin() as session:
        if _locked_pool(session, pool_id).opened_at is not None:
            raise RuleBroken("in_use", "Orders have opened, so what is offered stands.")
        gone = (
            delete(Offering).where(Offering.id == offering_id, Offering.pool_id == pool_id).returning(Offering.batch_id)
        )
        if (batch_id := session.scalar(gone)) is not None:
            subject = ("offering", offering_id)
            audit.record(session, "withdraw_offering", by=by, subject=subject, detail={"batch": batch_id})
        elif session.get(Offering, offering_id) is not None:
            raise NotFound


def open_pool(db: Db, pool_id: int, *, by: int, at: datetime) -> None:
    """Open a planned pool to orders; from now on its rules, caps and prices stand, and so does where its seed comes from."""
    with db.begin() as session:
        pool = _locked_pool(session, pool_id)
        if pool.opened_at is not None:
            return
        if at >= pool.closes_at:
            raise RuleBroken("too_late", "Its cut-off has passed. Plan a new pool with a later one.")
        if session.scalar(select(Offering.id).where(Offering.pool_id == pool_id).limit(1)) is None:
            raise RuleBroken("nothing_offered", "Nothing is offered in this pool yet. Add a batch first.")
        session.get_one(Season, pool.season_id, with_for_update=True)  # nobody changes its rule meanwhile
        draws.commit(session, pool_id, by=by, at=at)
        pool.opened_at, pool.opened_by = at, by
        if seasons.has_recipe(session, pool.season_id):
            jobs.request(session, jobs.APPLY_RECIPES, pool_id)
        audit.record(session, "open_pool", by=by, subject=("pool", pool_id))


def close_pool(db: Db, pool_id: int, *, by: int, at: datetime, reason: str = "") -> None:
    """Close a pool at or after its cut-off; before it only with a reason, which is kept for members to see."""
    with db.begin() as session:
        end_ordering(session, _locked_pool(session, pool_id), by=by, at=at, reason=reason)


def end_ordering(session: Session, pool: Pool, *, by: int, at: datetime, reason: str) -> None:
    """Close a pool that the caller holds, as `close_pool` does. Raises `not_open` or `too_early`."""
    if pool.closed_at is not None:
        return
    if pool.opened_at is None:
        raise RuleBroken("not_open", "This pool has not opened yet, so there is nothing to close.")
    if at < pool.closes_at and not reason.strip():
        raise RuleBroken("too_early", "Members were promised a later cut-off. Say why it has to close now.", field="reason")  # fmt: skip
    pool.closed_at, pool.closed_by = at, by
    audit.record(session, "close_pool", by=by, subject=("pool", pool.id), detail={"reason": reason.strip()})


def close_due_pools(db: Db, *, at: datetime) -> int:
    """Close every open pool whose cut-off has passed; return how many. The cut-off itself already ended ordering."""
    with db.begin() as session:
        due = session.scalars(
            update(Pool)
            .where(Pool.opened_at.is_not(None), Pool.closed_at.is_(None), Pool.closes_at < at)
            .values(closed_at=at, closed_by=0)
            .returning(Pool.id)
        ).all()
        for pool_id in due:
            audit.record(session, "close_pool", by=0, subject=("pool", pool_id), detail={"reason": ""})
    return len(due)


def _locked_pool(session: Session, pool_id: int) -> Pool:
    return locked(session, Pool, pool_id, called="pool")


def _own_rule(session: Session, pool: Pool, rule: str | None) -> str | None:
    """Read the rule an offering asks for itself; None where it is the season's."""
    season = session.get_one(Season, pool.season_id)
    wanted = rule_named(rule) if rule else season.rule
    if wanted == STANDING_RULE and season.rule != STANDING_RULE:
        raise RuleBroken(
            "no_memory", "This season keeps no standing, so no batch can be shared out by it.", field="rule"
        )
    return None if wanted == season.rule else wanted


def bring_in_pools(session: Session, season_id: int, pools: Sequence[NewPool]) -> list[int]:
    """Write pools that were held elsewhere: opened and closed at the instants their calendar says."""
    rows = [
        {"season_id": season_id, "name": name, "opens_at": opens, "closes_at": closes, "pickup_on": pickup}
        | {"opened_at": opens, "closed_at": closes}
        for name, opens, closes, pickup in pools
    ]
    return list(session.scalars(insert(Pool).returning(Pool.id, sort_by_parameter_order=True), rows))


def bring_in_offerings(session: Session, offerings: Sequence[tuple[int, int, int, int, int]]) -> Sequence[int]:
    """Write offerings as (pool, product, batch, terms, price in minor units); return their ids in the same order."""
    ids = take_ids(session, "offering", len(offerings))
    columns = ("id", "pool_id", "product_id", "batch_id", "terms_id", "price_minor")
    copy_rows(session, "offering", columns, ((i, *offering) for i, offering in zip(ids, offerings, strict=True)))
    return ids

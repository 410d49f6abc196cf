"""The demo's three pools, carried as far as each has come, by the same commands that pages and workers use."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from coop import jobs
from coop.allocation import service as allocation
from coop.asking import service as asking
from coop.bank import service as bank
from coop.batches import service as batches
from coop.core.errors import RuleBroken
from coop.core.season import local_day
from coop.db import Db, connect
from coop.demo.bank import statement
from coop.demo.calendar import ZONE, Calendar
from coop.demo.documents import write_documents
from coop.demo.makers import MAKERS, POOLS, PRODUCTS, Batch
from coop.demo.people import HOUSEHOLDS, PACKERS, TREASURERS
from coop.demo.town import Lot, Town, found
from coop.demo.wishes import orders_in
from coop.fees import service as fees
from coop.formats import camt
from coop.impact import service as impact
from coop.jobs import Lease, Outbox
from coop.orders import service as orders
from coop.payouts import service as payouts
from coop.people.models import Person
from coop.pickups import service as pickups
from coop.policy import service as policy
from coop.pools import service as pools
from coop.publishing import service as publishing
from coop.seasons import service as seasons
from coop.transfers import service as transfers
from coop.wishes.service import Wish

_PRODUCTS = {product.key: product for product in PRODUCTS}
_SPEAKERS = {maker.name: maker.person for maker in MAKERS}
_LATE, _NEVER = frozenset({"Power", "Hogan", "Kaminska", "Singh"}), frozenset({"Nolan", "Leclerc"})
"""Households that fetched the first pool a week later, and those whose pieces still wait."""


def seed(database_url: str, *, field_key: bytes, at: datetime, assume_role: bool = False) -> bool:
    """Write the demo co-op into an empty database, whole or not at all; say whether it had to.

    All commands run inside one transaction: what was begun and not ended leaves nothing behind.
    """
    db = connect(database_url, assume_role=assume_role)
    try:
        return _seed_once(db, field_key=field_key, at=at)
    finally:
        db.kw["bind"].dispose()


def _seed_once(db: Db, *, field_key: bytes, at: datetime) -> bool:
    with db() as session:
        if policy.current(session, "demo", at=at):
            return False
        if session.scalar(select(Person.id).limit(1)) is not None:
            raise RuleBroken("not_empty", "This database holds a co-op already. Give the demo an empty one.")
    with db.kw["bind"].connect() as connection, connection.begin():
        inside = sessionmaker(connection, join_transaction_mode="rollback_only", expire_on_commit=False)
        town = Town(inside, field_key, Calendar.around(at))
        found(inside, town)
        tell(town, at)
        with inside.begin() as session:
            policy.settle(session, "demo", value=True, by=0)
    return True


def tell(town: Town, at: datetime) -> None:
    """Carry the three pools: one to the makers' pay, one to its yields, one to its orders; then publish the figures."""
    first, second, third = (_plan(town.db, town, number) for number in range(len(POOLS)))
    _order(town, first, 0)
    _report(town, 0)
    _share_out(town, first)
    _hand_over(town, first)
    _pay_out(town)
    _hand_over_late(town, first)
    write_documents(town)
    _order(town, second, 1)
    _report(town, 1)
    _order(town, third, 2, until=at)
    _write_recipe(town)
    impact.publish_snapshot(town.db, town.season, by=town.admin, at=at)
    for batch in POOLS[2][1]:
        if batch.begun:
            batches.start_batch(town.db, town.lots[batch.lot].batch_id, by=_maker(town, batch), at=town.calendar.at(-1))


def _write_recipe(town: Town) -> None:
    """Let double shares ask by themselves from the next pool on: one gin or two jams, and a cup."""
    ask = partial(seasons.add_to_recipe, town.db, town.sizes["double"], by=town.admin)
    ask(product_id=town.products["hedgerow-gin"], pieces=1, part=None, key="recipe gin")
    ask(product_id=town.products["damson-jam"], pieces=2, part=1, key="recipe jam")
    ask(product_id=town.products["salt-glaze-cup"], pieces=1, part=None, key="recipe cup")


def _plan(db: Db, town: Town, number: int) -> int:
    name, offered = POOLS[number]
    window = town.calendar.windows[number]
    with db.begin() as session:
        pool_id = pools.plan_pool(session, town.season, name, **window._asdict())
        for batch in offered:
            _offer(session, town, pool_id, batch, window.opens_at)
    for batch in offered:
        if batch.words:
            batches.tell_story(db, town.lots[batch.lot].batch_id, story=batch.words, by=_maker(town, batch))
    return pool_id


def _offer(session: Session, town: Town, pool_id: int, batch: Batch, at: datetime) -> None:
    product = _PRODUCTS[batch.product]
    product_id = town.products[batch.product]
    batch_id = batches.plan_batch(session, product_id, lot_number=batch.lot, planned=batch.planned)
    offering_id = pools.offer(
        session,
        pool_id,
        product_id,
        batch_id,
        price_minor=product.price_minor,
        deposit_minor=product.deposit_minor,
        cap=product.cap,
        terms_id=fees.current_terms(session, town.artisans[product.maker], at),
        surplus=batch.surplus,
    )
    town.lots[batch.lot] = Lot(batch_id, offering_id)


def _order(town: Town, pool_id: int, number: int, *, until: datetime | None = None) -> None:
    """Open a pool, let the households order over its days, and close it at its cut-off unless that is still to come."""
    opens_at, closes_at, _ = town.calendar.windows[number]
    prices = {batch.lot: _PRODUCTS[batch.product] for batch in POOLS[number][1]}
    asked = orders_in(number)
    pools.open_pool(town.db, pool_id, by=town.admin, at=opens_at)
    last = until or closes_at
    for place, household in enumerate(HOUSEHOLDS):
        if household.name not in asked:
            continue
        wishes = [
            Wish(town.lots[lot].offering_id, wish, up_to, prices[lot].price_minor, prices[lot].deposit_minor)
            for lot, wish, up_to in asked[household.name]
        ]
        orders.place_order(
            town.db,
            pool_id,
            wishes,
            household_id=town.households[household.name],
            by=town.speaker(household),
            at=opens_at + (last - opens_at) * (1 + place * 17 % len(HOUSEHOLDS)) / (len(HOUSEHOLDS) + 2),
            key=f"order {number} {household.name}",
        )
    if until is None:
        pools.close_pool(town.db, pool_id, by=0, at=closes_at)


def _report(town: Town, number: int) -> None:
    """Let each maker start its batches and report what came out, within the two days after the cut-off."""
    _, closes_at, _ = town.calendar.windows[number]
    for place, batch in enumerate(POOLS[number][1]):
        assert batch.made is not None
        batch_id, maker = town.lots[batch.lot].batch_id, _maker(town, batch)
        batches.start_batch(town.db, batch_id, by=maker, at=closes_at - timedelta(days=3))
        reported_at = closes_at + timedelta(hours=13 + 2 * place)
        batches.report_yield(
            town.db,
            batch_id,
            pieces=batch.made,
            broken=batch.broken,
            made_on=local_day(closes_at, ZONE),
            by=maker,
            at=reported_at,
            key=f"yield {batch.lot}",
        )


def _share_out(town: Town, pool_id: int) -> None:
    """Ask, let the worker's command work it out, publish, and let the worker's command book it."""
    run_id = asking.request_run(town.db, pool_id, by=town.admin, at=town.calendar.at(-35, 9))
    asked = town.calendar.at(-35, 9, 1)
    _work(town, jobs.COMPUTE_ALLOCATION, run_id, partial(allocation.carry_out, at=asked, field_key=town.field_key))
    published = town.calendar.at(-35, 9, 20)
    publishing.publish(town.db, run_id, by=town.admin, at=published)
    _work(town, jobs.PUBLISH_ALLOCATION, run_id, partial(publishing.carry_out_publication, at=published))


def _hand_over(town: Town, pool_id: int) -> None:
    """Tick what was fetched on the day of the pickup."""
    there = [household.name for household in HOUSEHOLDS if household.name not in _LATE | _NEVER]
    for place, name in enumerate(there):
        _fetch(town, pool_id, name, at=town.calendar.at(-33, 16, 5 * place))


def _hand_over_late(town: Town, pool_id: int) -> None:
    for place, name in enumerate(sorted(_LATE)):
        _fetch(town, pool_id, name, at=town.calendar.at(-19, 16, 5 * place))


def _fetch(town: Town, pool_id: int, household: str, *, at: datetime) -> None:
    with town.db() as session:
        lines = session.execute(_AWARDED, {"pool": pool_id, "household": town.households[household]}).all()
    if lines:
        pickups.hand_over(
            town.db,
            lines[0].order_id,
            {line.line_id: line.pieces for line in lines},
            by=town.persons[PACKERS[0]],
            at=at,
            key=f"fetch {pool_id} {household}",
            age_checked=True,
        )


def _pay_out(town: Town) -> None:
    """Pay the makers: one asks, another approves, the file goes to the bank, and the bank confirms it."""
    asked, approver = town.calendar.at(-26, 11), town.persons[TREASURERS[1]]
    run_id = payouts.request_payouts(town.db, through=town.calendar.day(-27), by=town.treasurer, at=asked)
    _work(town, jobs.COMPUTE_PAYOUTS, run_id, partial(payouts.carry_out, at=asked))
    transfers.approve(town.db, run_id, by=approver, at=town.calendar.at(-26, 15))
    sent = town.calendar.at(-26, 15, 30)
    transfers.make_file(town.db, run_id, by=town.treasurer, at=sent, field_key=town.field_key)
    booked_on = town.calendar.day(-24)
    with town.db() as session:
        confirmed = statement(session, run_id, booked_on, at=sent)
    content = camt.write_camt053(confirmed, created_at=town.calendar.at(-24, 18))
    bank.import_statement(town.db, content, by=town.treasurer, at=town.calendar.at(-23, 9), field_key=town.field_key)


def _work(town: Town, job: str, row_id: int, work: Callable[[Db, Lease], None]) -> None:
    """Do a job as the worker would: take its lease, and call the command that the worker calls."""
    with town.db() as session:
        outbox_id = session.scalars(select(Outbox.id).where(Outbox.job == job, Outbox.row_id == row_id)).one()
    lease = jobs.take(town.db, outbox_id, job)
    assert lease is not None, f"{job} {row_id} was taken by somebody else"
    work(town.db, lease)


def _maker(town: Town, batch: Batch) -> int:
    """Return the person who speaks for a batch's maker."""
    return town.persons[_SPEAKERS[_PRODUCTS[batch.product].maker]]


_AWARDED = text("""
SELECT o.id AS order_id, l.id AS line_id, a.pieces FROM household_order o
  JOIN order_line l ON l.order_id = o.id
  JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE o.pool_id = :pool AND o.household_id = :household AND a.pieces > 0 ORDER BY l.id
""")

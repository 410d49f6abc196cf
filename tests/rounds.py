"""A pool's whole round for tests: opened, ordered in, closed, reported and published by the services and the worker's own steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import select, text

from coop import jobs
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.asking import service as asking
from coop.batches import service as batches
from coop.db import Db
from coop.jobs import Lease
from coop.orders.models import HouseholdOrder, OrderLine
from coop.orders.service import place_order
from coop.payouts import service as payouts
from coop.pickups import service as pickups
from coop.pools import service as pools
from coop.pools.models import Offering, Pool
from coop.publishing import service as publishing
from coop.wishes.service import Wish
from tests.builders import FIELD_KEY, NOW

PICKUP = NOW + timedelta(days=7)
"""An instant on the pickup day of a pool as `tests.builders.a_pool` plans it."""


def work_off(db: Db, job: str, row_id: int, carry_out: Callable[[Db, Lease], None]) -> None:
    """Do what a worker does that was rung for a row."""
    with db() as session:
        wanted = "SELECT id FROM outbox WHERE job = :job AND row_id = :row AND done_at IS NULL"
        outbox_id = session.scalar(text(wanted), {"job": job, "row": row_id})
    lease = jobs.take(db, outbox_id, job)
    assert lease is not None
    carry_out(db, lease)


def publish(db: Db, pool_id: int, wishes: Mapping[int, Mapping[int, int]], made: Mapping[int, int]) -> dict[tuple[int, int], int]:  # fmt: skip
    """Open a pool, order as {household: {offering: pieces}}, make {offering: pieces}, publish; return lines by (household, offering)."""
    order(db, pool_id, wishes)
    share_out(db, pool_id, made)
    return lines_of(db, pool_id)


def order(db: Db, pool_id: int, wishes: Mapping[int, Mapping[int, int]]) -> None:
    """Open a pool and place these orders in it."""
    pools.open_pool(db, pool_id, by=0, at=NOW - timedelta(hours=1))
    with db() as session:
        offered = {one.id: one for one in session.scalars(select(Offering).where(Offering.pool_id == pool_id))}
    for household_id, asked in wishes.items():
        lines = [Wish(n, pieces, pieces, offered[n].price_minor, offered[n].deposit_minor) for n, pieces in asked.items()]  # fmt: skip
        place_order(db, pool_id, lines, household_id=household_id, by=0, at=NOW, key=f"o{pool_id}-{household_id}")


def share_out(db: Db, pool_id: int, made: Mapping[int, int]) -> None:
    """Close a pool, report what was made, and publish its sharing out."""
    book(db, propose(db, pool_id, made))


def propose(db: Db, pool_id: int, made: Mapping[int, int]) -> int:
    """Close a pool, report what was made, and work its sharing out; return the run."""
    with db() as session:
        closes_at = session.get_one(Pool, pool_id).closes_at
        batch_of = dict(
            session.execute(select(Offering.id, Offering.batch_id).where(Offering.pool_id == pool_id)).all()
        )  # type: ignore[arg-type]
    after = closes_at + timedelta(minutes=1)
    pools.close_pool(db, pool_id, by=0, at=after)
    for offering_id, pieces in made.items():
        batches.report_yield(db, batch_of[offering_id], pieces=pieces, by=0, at=after, key=f"y{offering_id}")
    run_id = asking.request_run(db, pool_id, by=0, at=after)
    work_off(db, jobs.COMPUTE_ALLOCATION, run_id, lambda d, lease: allocation.carry_out(d, lease, at=after, field_key=FIELD_KEY))  # fmt: skip
    return run_id


def book(db: Db, run_id: int) -> None:
    """Publish a run that is worked out."""
    with db() as session:
        proposed = session.get_one(AllocationRun, run_id)
        after = session.get_one(Pool, proposed.pool_id).closes_at + timedelta(minutes=1)
    publishing.publish(db, run_id, by=0, at=after)
    work_off(db, jobs.PUBLISH_ALLOCATION, run_id, lambda d, lease: publishing.carry_out_publication(d, lease, at=after))


def lines_of(db: Db, pool_id: int) -> dict[tuple[int, int], int]:
    """Return a pool's lines by (household, offering)."""
    with db() as session:
        rows = session.execute(
            select(HouseholdOrder.household_id, OrderLine.offering_id, OrderLine.id)
            .join(OrderLine, OrderLine.order_id == HouseholdOrder.id)
            .where(HouseholdOrder.pool_id == pool_id)
        )
        return {(household, offering): line for household, offering, line in rows}


def order_of(db: Db, line_id: int) -> int:
    """Return the order that a line belongs to."""
    with db() as session:
        return session.get_one(OrderLine, line_id).order_id


def fetch(db: Db, line_id: int, pieces: int, *, key: str = "", **more: object) -> int:
    """Hand over pieces of one line on the pickup day."""
    named = {"by": 0, "at": PICKUP, "key": key or f"h{line_id}-{pieces}", **more}
    return pickups.hand_over(db, order_of(db, line_id), {line_id: pieces}, **named)  # type: ignore[arg-type]


def compute_payouts(db: Db, *, by: int, at=PICKUP, through=None, **more: object) -> int:
    """Ask for a payout run up to a day, and let the worker gather it."""
    run_id = payouts.request_payouts(db, through=through or at.date(), by=by, at=at, **more)  # type: ignore[arg-type]
    work_off(db, jobs.COMPUTE_PAYOUTS, run_id, lambda d, lease: payouts.carry_out(d, lease, at=at))
    return run_id


def balances(db: Db, code: int) -> dict[str, int]:
    """Return what each party has on an account, credit positive."""
    with db() as session:
        rows = session.execute(
            text(
                "SELECT a.party, -sum(p.amount)::bigint FROM posting p JOIN account a ON a.id = p.account_id"
                " WHERE a.code = :code GROUP BY a.party HAVING sum(p.amount) <> 0"
            ),
            {"code": code},
        )
        return dict(rows.all())  # type: ignore[arg-type]

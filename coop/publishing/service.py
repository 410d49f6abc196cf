"""Publish the sharing out of a pool: a person decides, the worker books it whole. Each step may be repeated and happens once."""

from datetime import date, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.core.collector import collecting_seldom
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, Freed, household_party, released_from_hold
from coop.core.season import local_day
from coop.db import Db, Whole, bigints, columns_of, writing_beside
from coop.jobs import Lease
from coop.ledger import service as ledger
from coop.orders.queries import fund_bears
from coop.people import service as people
from coop.policy import service as policy
from coop.pools.models import Pool
from coop.proposals import service as proposals


def publish(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Decide that a proposed outcome counts; the worker books it. Raises `not_proposed` and `override_waits`."""
    with db.begin() as session:
        run = allocation.locked_run(session, run_id)
        if run.state == "proposed" and run.overrides_waiting:
            raise RuleBroken(
                "override_waits", "A change by hand waits for a second person. Approve or refuse it first."
            )
        proposals.decide(session, run, jobs.PUBLISH_ALLOCATION, "publish_allocation", called="an outcome", by=by, at=at)


@collecting_seldom()
def carry_out_publication(db: Db, lease: Lease, *, at: datetime) -> None:
    """Book a published run whole: holds of short pieces go back, standing and chain move on, members are told."""
    with db.begin() as session:
        run = proposals.taken_up(session, lease, AllocationRun, "publishing")
        if run is None:
            return
        pool = session.get_one(Pool, run.pool_id)
        if allocation.hold_chain(session, pool.season_id) != run.chain_start:
            run.state, run.failure = (
                "failed",
                "Another pool of the season was published meanwhile. Share this one out again.",
            )
            return
        book(session, run, pool.season_id, at=at)
        if run.memory == "season":
            session.execute(_ADD_ENTITLED, {"run": run.id, "season": pool.season_id})
        allocation.move_chain(session, run)
        run.state = "published"
        tell_members(session, run, pool)


def book(session: Session, run: AllocationRun, season_id: int, *, at: datetime) -> None:
    """Give back what was held for pieces that did not come, and move the standing on."""
    values = {"run": run.id, "pool": run.pool_id}
    moved = columns_of(session, _MOVED, values, ("household", "line", "minor", "fund", "product", "micro"))
    agreed = policy.all_current(session, at=at)
    day = allocation.booking_day(session, run.pool_id, today=local_day(at, agreed["zone"]))
    if run.memory == "none":
        entries = _given_back(run.id, moved, day)
    else:
        with writing_beside(partial(_move_standing, session, season_id, moved)):
            entries = _given_back(run.id, moved, day)
    ledger.post_all(session, entries, by=run.published_by or 0, currency=agreed["currency"])


def _given_back(run_id: int, moved: dict[str, Whole], day: date) -> list[Entry]:
    """Make an entry for each household that was held money for pieces that did not come."""
    order = np.lexsort((moved["line"], moved["household"]))
    order = order[(moved["minor"][order] != 0) | (moved["fund"][order] != 0)]
    columns = (moved[name][order].tolist() for name in ("household", "line", "minor", "fund"))
    entries = []
    for household_id, lines in groupby(zip(*columns, strict=True), itemgetter(0)):
        party = household_party(household_id)
        freed = [Freed(party, line_id, minor, fund) for _, line_id, minor, fund in lines]
        entries.append(Entry(f"alloc:{run_id}:{household_id}", "allocation", day, released_from_hold(freed)))
    return entries


def _move_standing(session: Session, season_id: int, moved: dict[str, Whole]) -> None:
    names, moves = ("product", "household", "micro"), moved["micro"] != 0
    values = {name: bigints(moved[name][moves].tolist()) for name in names}
    session.execute(_MOVE_STANDING, {"season": season_id} | values)


def tell_members(session: Session, run: AllocationRun, pool: Pool) -> None:
    """Write to every household that ordered that the pool is shared out."""
    ordered = session.scalars(
        text("SELECT household_id FROM household_order WHERE pool_id = :pool ORDER BY household_id"), {"pool": pool.id}
    )
    people.tell_households(
        session, f"published:{run.id}", "allocation_published", list(ordered), {"pool": pool.name, "pool_id": pool.id}
    )


# every line whose sharing out moves money or standing; the lines are gathered first, because right after its awards are
# written the planner still believes that a run has a few
_MOVED = f"""
WITH line AS MATERIALIZED (
  SELECT l.id, o.household_id, f.product_id, l.unit_minor + l.deposit_minor AS minor, l.up_to, l.unit_minor, l.fund_minor, l.fund_held_minor,
         coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) AS held
    FROM household_order o
    JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
    JOIN offering f ON f.id = l.offering_id AND f.pool_id = o.pool_id
   WHERE o.pool_id = :pool)
SELECT * FROM (
  SELECT l.household_id, l.id, l.held - a.pieces * l.minor AS minor, l.fund_held_minor - {fund_bears("a.pieces")} AS fund, l.product_id,
         coalesce(a.entitled_micro - 1000000 * (a.pieces - a.extra), 0) AS micro
    FROM award a JOIN line l ON l.id = a.line_id
   WHERE a.run_id = :run) AS m
 WHERE minor <> 0 OR micro <> 0 OR fund <> 0
"""  # noqa: S608 - put together from words of ours


_MOVE_STANDING = text("""
INSERT INTO standing (season_id, family, household_id, owed_micro)
SELECT :season, p.family, m.household, sum(m.micro)
  FROM unnest(CAST(:product AS bigint[]), CAST(:household AS bigint[]), CAST(:micro AS bigint[])) AS m (product, household, micro)
  JOIN product p ON p.id = m.product
 GROUP BY p.family, m.household
 ORDER BY p.family, m.household
ON CONFLICT (season_id, family, household_id) DO UPDATE SET owed_micro = standing.owed_micro + excluded.owed_micro
""")


_ADD_ENTITLED = text("""
INSERT INTO standing (season_id, family, household_id, owed_micro, entitled_micro)
SELECT :season, p.family, o.household_id, 0, sum(a.entitled_micro)
  FROM award a
  JOIN order_line l ON l.id = a.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = a.offering_id
  JOIN product p ON p.id = f.product_id
 WHERE a.run_id = :run
 GROUP BY p.family, o.household_id
ON CONFLICT (season_id, family, household_id) DO UPDATE SET entitled_micro = standing.entitled_micro + excluded.entitled_micro
""")

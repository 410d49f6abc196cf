"""Runs that share out a pool: worked out by the worker, put aside or published; and the chain that all of a season's hang on."""

import time
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import select, text, tuple_, update
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation import queries
from coop.allocation.models import AllocationRun, ChainHead
from coop.audit import service as audit
from coop.core.collector import collecting_seldom
from coop.core.errors import RuleBroken
from coop.core.fairness import four_decimals
from coop.core.pool_run import Fill, FrozenInputs, PoolProblem, award_columns, divided, fill, frozen_inputs, on_record
from coop.core.records import CHAIN_START
from coop.db import Db, Whole, copy_columns_in, locked, write_quickly, writing_beside
from coop.draws import service as draws
from coop.draws.service import Drawn
from coop.jobs import Lease
from coop.pools.models import Pool
from coop.proposals import service as proposals
from coop.seasons.models import Season

LIVE = ("requested", "waiting", "proposed", "publishing", "published")


class _Readied(NamedTuple):
    """A run's problem with its inputs written down; `after` names a pool that closed before and is not published."""

    problem: PoolProblem
    inputs: FrozenInputs
    own: Drawn
    after: str | None

    @property
    def may_go_on(self) -> bool:
        return not self.own.is_awaited and self.after is None


@collecting_seldom()
def carry_out(db: Db, lease: Lease, *, at: datetime, field_key: bytes) -> None:
    """Share out the batches of one run and propose the outcome. Repeating it changes nothing."""
    began = time.monotonic()
    readied = _readied(db, lease.row_id, field_key)
    pool = divided(readied.problem, readied.inputs) if readied and readied.may_go_on else None
    with db.begin() as session:
        run = proposals.taken_up(session, lease, AllocationRun, "requested")
        if readied is None or run is None:
            return
        if readied.after is not None:
            run.state, run.failure = "failed", earlier_first(readied.after)
            return
        if not _freeze(session, run, readied.inputs.digest, readied.own, at=at) or pool is None:
            return
        problem = readied.problem
        write_quickly(session)  # what a crash loses is worked out again: the job is done in this same transaction
        with writing_beside(partial(_write_awards, session, run.id, award_columns(problem, pool))):
            result_digest = on_record(problem, pool).result_digest
            measured = fill(problem, pool)
        run.state, run.proposed_at = "proposed", at
        run.chain_start, run.result_digest = problem.chain_start, result_digest
        run.figures = _figures(measured) | {"seconds": f"{time.monotonic() - began:.3f}"}
        subject = ("allocation_run", run.id)
        audit.record(session, "propose_allocation", by=0, subject=subject, detail={"result": run.result_digest})


def _readied(db: Db, run_id: int, field_key: bytes) -> _Readied | None:
    """Read a run's problem; what was frozen is read and written down while the pool before it may still be booked."""
    with db() as session:
        run = session.get_one(AllocationRun, run_id)
        if run.state != "requested":
            return None
        own = draws.drawn(session, run.pool_id)
        problem = queries.frozen_claims(session, run, field_key, own)
        pool = session.get_one(Pool, run.pool_id)
        season = session.get_one(Season, pool.season_id)
    inputs = frozen_inputs(problem)
    until = time.monotonic() + _PATIENCE
    while True:
        with db() as session:
            if not _is_one_being_booked(session, pool):
                after = first_before(session, pool, {"published"})
                return _Readied(queries.with_opening(session, problem, season, field_key), inputs, own, after)
        if time.monotonic() > until:
            raise jobs.NotYet("an earlier pool is not booked yet")
        time.sleep(_LOOK_AGAIN)


def _is_one_being_booked(session: Session, pool: Pool) -> bool:
    """Whether a pool that closed before counts and is not booked yet: that moves where the claimants stand.

    Whoever books a run holds it, so that this waits until the very commit.
    """
    asked = {"pool": pool.id, "season": pool.season_id, "closes_at": pool.closes_at}
    return session.execute(_BEING_BOOKED, asked).first() is not None


_PATIENCE: Final = 5.0
_LOOK_AGAIN: Final = 0.005

_BEING_BOOKED: Final = text("""
SELECT r.id FROM allocation_run r JOIN pool p ON p.id = r.pool_id
 WHERE p.season_id = :season AND (p.closes_at, p.id) < (:closes_at, :pool) AND r.state = 'publishing'
   FOR KEY SHARE OF r
""")


def first_before(session: Session, pool: Pool, states: Collection[str]) -> str | None:
    """Return the name of the first pool of the season that closed before this one and has no run in one of these states."""
    there = select(AllocationRun.pool_id).where(AllocationRun.state.in_(states))
    earlier = (
        select(Pool.name)
        .where(
            Pool.season_id == pool.season_id,
            Pool.opened_at.is_not(None),
            tuple_(Pool.closes_at, Pool.id) < tuple_(pool.closes_at, pool.id),
            Pool.id.not_in(there),
        )
        .order_by(Pool.closes_at, Pool.id)
    )
    return session.scalar(earlier.limit(1))


def earlier_first(pool: str) -> str:
    """Say that another pool comes first."""
    return f"{pool} closed before this pool. Publish its sharing out first."


def _write_awards(session: Session, run_id: int, tables: Sequence[dict[str, Whole]]) -> None:
    for awards in tables:
        copy_columns_in(session, "award", {"run_id": np.full(len(awards["line_id"]), run_id)} | awards)


def go_on(session: Session, pool_id: int) -> None:
    """Let a run that waited for its seed go on, now that the seed is known."""
    waiting = select(AllocationRun).where(AllocationRun.pool_id == pool_id, AllocationRun.state == "waiting")
    run = session.scalar(waiting.with_for_update())
    if run is not None:
        run.state = "requested"
        jobs.request(session, jobs.COMPUTE_ALLOCATION, run.id, dedup="seed")


def cancel_run(db: Db, run_id: int, *, by: int, reason: str) -> None:
    """Put a proposed outcome aside before it is published; the pool can be shared out again."""
    with db.begin() as session:
        run = locked_run(session, run_id)
        proposals.put_aside(session, run, "cancel_allocation", called="this outcome", by=by, reason=reason)


def locked_run(session: Session, run_id: int) -> AllocationRun:
    """Hold a run until commit."""
    return locked(session, AllocationRun, run_id, called="allocation run")


def fail(session: Session, run_id: int, why: str) -> None:
    """Mark a run that its worker had to give up, with the reason in plain words."""
    proposals.give_up(locked_run(session, run_id), why)


def check_at_rest(session: Session, season_id: int) -> None:
    """Hold the season's chain, and raise `run_under_way` while a sharing out of the season is not published or put aside."""
    _locked_chain(session, season_id)
    under_way = (
        select(Pool.name)
        .join(AllocationRun, AllocationRun.pool_id == Pool.id)
        .where(Pool.season_id == season_id, AllocationRun.state.in_(set(LIVE) - {"published"}))
    )
    pool = session.scalars(under_way.limit(1)).first()
    if pool is not None:
        raise RuleBroken("run_under_way", f"{pool} is being shared out. Publish it or put it aside first.")


def check_published(session: Session, pool_id: int) -> None:
    """Raise `not_published` unless the pool's outcome counts already."""
    run = select(AllocationRun.id).where(AllocationRun.pool_id == pool_id, AllocationRun.state == "published")
    if session.scalar(run) is None:
        raise RuleBroken("not_published", "Nothing can be handed over before the sharing out is published.")


def lock_published(session: Session, pool_id: int) -> None:
    """Let one caller at a time act on a published pool as a whole."""
    session.get(Pool, pool_id, with_for_update=True)
    check_published(session, pool_id)


def booking_day(session: Session, pool_id: int, *, today: date) -> date:
    """Give the business date of what happens to a pool: today.

    A season brought in from files is booked in its own time: never later than the day of the pool's pickup.
    """
    pool = session.get_one(Pool, pool_id)
    is_brought_in = session.get_one(Season, pool.season_id).files_digest is not None
    return min(today, pool.pickup_on) if is_brought_in else today


def hold_chain(session: Session, season_id: int) -> str:
    """Be the season's one writer until commit, and return where its chain stands."""
    return _locked_chain(session, season_id).result_digest


def chain_end(session: Session, season_id: int) -> str | None:
    """Return where a season's chain stands, None before its first publication."""
    return session.scalar(select(ChainHead.result_digest).where(ChainHead.season_id == season_id))


def move_chain(session: Session, run: AllocationRun) -> None:
    """Let the season's chain end with a run that is published now; its head was made when the chain was held."""
    season_id = select(Pool.season_id).where(Pool.id == run.pool_id).scalar_subquery()
    ends = {"result_digest": run.result_digest, "run_id": run.id}
    moved = update(ChainHead).where(ChainHead.season_id == season_id).values(ends).returning(ChainHead.season_id)
    session.execute(moved).one()


def _freeze(session: Session, run: AllocationRun, digest: str, own: Drawn, *, at: datetime) -> bool:
    """Publish the digest of a run's inputs before its seed is known, and hold the run to it. Say whether it may go on."""
    other = own.input_digest is not None and run.version == 1 and digest != own.input_digest
    if other or run.input_digest not in {None, digest}:
        run.state = "failed"
        run.failure = (
            "The seed of this pool is known already, and its orders or yields are not those that were frozen before it was. "
            "Whoever changes them now could choose who is lucky. Share out what was frozen, and correct yields afterwards."
        )
        return False
    run.input_digest, run.frozen_at = digest, run.frozen_at or at
    if own.is_awaited:
        run.state = "waiting"
        audit.record(session, "freeze_inputs", by=0, subject=("allocation_run", run.id), detail={"input": digest})
    return not own.is_awaited


def _figures(measured: Fill) -> dict[str, int | str]:
    return {
        "claims": measured.claims,
        "pieces": measured.pieces,
        "short": measured.short,
        "lowest_fill": four_decimals(measured.lowest),
        "jain": four_decimals(measured.jain),
    }


def _locked_chain(session: Session, season_id: int) -> ChainHead:
    """Hold the end of the season's chain until commit: one writer a season."""
    head = session.get(ChainHead, season_id, with_for_update=True)
    if head is not None:
        return head
    session.execute(
        text("INSERT INTO chain_head (season_id, result_digest) VALUES (:season, :start) ON CONFLICT DO NOTHING"),
        {"season": season_id, "start": CHAIN_START},
    )
    return session.get_one(ChainHead, season_id, with_for_update=True)

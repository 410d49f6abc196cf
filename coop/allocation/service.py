"""Share out a closed pool: ask for a run, carry it out, publish it. Each step may be repeated and happens once."""

import time
from datetime import date, datetime

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation import queries
from coop.allocation.models import AllocationRun, ChainHead
from coop.audit import service as audit
from coop.batches import service as batches
from coop.core.claims import STANDING_RULE, Terms, rule_named
from coop.core.collector import collecting_seldom
from coop.core.errors import NotFound, RuleBroken
from coop.core.fairness import four_decimals
from coop.core.ledger import Entry, household_party, released_from_hold
from coop.core.pool_run import Fill, award_columns, fill, input_digest_of, share_out
from coop.core.records import CHAIN_START
from coop.core.season import local_day
from coop.db import Db, Whole, bigints, columns_of, copy_columns_in, refresh_statistics
from coop.draws import service as draws
from coop.draws.service import Drawn
from coop.jobs import Lease
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.pools.models import Offering, Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season
from coop.standings import service as standings

LIVE = ("requested", "waiting", "proposed", "publishing", "published")


def request_run(
    db: Db,
    pool_id: int,
    *,
    by: int,
    at: datetime,
    rule: str | None = None,
    memory: str | None = None,
    credit_cap: int | None = None,
    without_missing: bool = False,
) -> int:
    """Freeze a closed pool's inputs and ask the worker to share it out; return the run's id.

    A run that is under way or done already is returned as it is. Pools of a season are shared out in the order of
    their cut-offs. Raises `not_closed`, `earlier_pool`, `yields_missing`, `rule_fixed` or `unknown_rule`.
    """
    with db.begin() as session:
        pool = session.get(Pool, pool_id, with_for_update=True)
        if pool is None:
            raise NotFound("There is no such pool.")
        live = session.scalar(
            select(AllocationRun.id).where(AllocationRun.pool_id == pool_id, AllocationRun.state.in_(LIVE))
        )
        if live is not None:
            return live
        if pool.closed_at is None:
            raise RuleBroken("not_closed", "Orders are still open. Share the pool out once it has closed.")
        _check_order_of_closings(session, pool)
        season = session.get_one(Season, pool.season_id, with_for_update=True)
        _choose_rule(session, season, rule, memory, credit_cap, by=by)
        _release_yields(session, pool_id, by=by, at=at, without_missing=without_missing)
        standings.settle(session, season, pool, by=by, at=at)
        run = AllocationRun(
            pool_id=pool_id,
            rule=season.rule,
            memory=season.memory,
            credit_cap=season.credit_cap,
            state="requested",
            requested_by=by,
            requested_at=at,
        )
        session.add(run)
        session.flush()
        jobs.request(session, jobs.COMPUTE_ALLOCATION, run.id)
        subject = ("allocation_run", run.id)
        audit.record(session, "request_allocation", by=by, subject=subject, detail={"pool": pool.name})
        return run.id


@collecting_seldom()
def carry_out(db: Db, lease: Lease, *, at: datetime, field_key: bytes) -> None:
    """Share out the batches of one run and propose the outcome. Repeating it changes nothing."""
    began = time.monotonic()
    refresh_statistics(db, "household_order", "order_line", "offering", "batch")
    with db() as session:
        run = session.get_one(AllocationRun, lease.row_id)
        problem = queries.frozen_problem(session, run, field_key) if run.state == "requested" else None
        own = draws.drawn(session, run.pool_id)
    shared = share_out(problem) if problem and not own.is_awaited else None
    digest = shared.input_digest if shared else input_digest_of(problem) if problem else ""
    with db.begin() as session:
        jobs.finish(session, lease)
        run = session.get_one(AllocationRun, lease.row_id, with_for_update=True)
        if problem is None or run.state != "requested":
            return
        if not _freeze(session, run, digest, own, at=at) or shared is None:
            return
        for awards in award_columns(problem, shared):
            copy_columns_in(session, "award", {"run_id": np.full(len(awards["line_id"]), run.id)} | awards)
        run.state, run.proposed_at = "proposed", at
        run.chain_start = problem.chain_start
        run.result_digest = shared.result_digest
        run.figures = _figures(fill(problem, shared)) | {"seconds": f"{time.monotonic() - began:.3f}"}
        subject = ("allocation_run", run.id)
        audit.record(session, "propose_allocation", by=0, subject=subject, detail={"result": run.result_digest})


def go_on(session: Session, pool_id: int) -> None:
    """Let a run that waited for its seed go on, now that the seed is known."""
    waiting = select(AllocationRun).where(AllocationRun.pool_id == pool_id, AllocationRun.state == "waiting")
    run = session.scalar(waiting.with_for_update())
    if run is not None:
        run.state = "requested"
        jobs.request(session, jobs.COMPUTE_ALLOCATION, run.id, dedup="seed")


def publish(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Decide that a proposed outcome counts; the worker books it. Raises `not_proposed`."""
    with db.begin() as session:
        run = _locked_run(session, run_id)
        if run.state in {"publishing", "published"}:
            return
        if run.state != "proposed":
            raise RuleBroken("not_proposed", "Only an outcome that has been worked out can be published.")
        run.state, run.published_by, run.published_at = "publishing", by, at
        jobs.request(session, jobs.PUBLISH_ALLOCATION, run.id)
        audit.record(session, "publish_allocation", by=by, subject=("allocation_run", run.id))


@collecting_seldom()
def carry_out_publication(db: Db, lease: Lease, *, at: datetime) -> None:
    """Book a published run whole: holds of short pieces go back, standing and chain move on, members are told."""
    with db.begin() as session:
        jobs.finish(session, lease)
        run = _locked_run(session, lease.row_id)
        if run.state != "publishing":
            return
        pool = session.get_one(Pool, run.pool_id)
        head = _locked_chain(session, pool.season_id)
        if head.result_digest != run.chain_start:
            run.state, run.failure = (
                "failed",
                "Another pool of the season was published meanwhile. Share this one out again.",
            )
            return
        _book(session, run, pool.season_id, at=at)
        if run.memory == "season":
            session.execute(_ADD_ENTITLED, {"run": run.id, "season": pool.season_id})
        move_chain(session, run)
        run.state = "published"
        _tell_members(session, run, pool)


def cancel_run(db: Db, run_id: int, *, by: int, reason: str) -> None:
    """Put a proposed outcome aside before it is published; the pool can be shared out again."""
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why this outcome is put aside.", field="reason")
    with db.begin() as session:
        run = _locked_run(session, run_id)
        if run.state == "cancelled":
            return
        if run.state not in {"requested", "waiting", "proposed", "failed"}:
            raise RuleBroken("too_late", "This outcome is published, so it can no longer be put aside.")
        run.state = "cancelled"
        subject = ("allocation_run", run.id)
        audit.record(session, "cancel_allocation", by=by, subject=subject, detail={"reason": reason.strip()})


def fail(session: Session, run_id: int, why: str) -> None:
    """Mark a run that its worker had to give up, with the reason in plain words."""
    run = _locked_run(session, run_id)
    if run.state in {"requested", "publishing"}:
        run.state, run.failure = "failed", why


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


# every line whose sharing out moves money or standing; the lines are gathered first, because right after its awards are
# written the planner still believes that a run has a few
_MOVED = """
WITH line AS MATERIALIZED (
  SELECT l.id, o.household_id, l.offering_id, l.unit_minor + l.deposit_minor AS minor,
         coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) AS held
    FROM household_order o JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
   WHERE o.pool_id = :pool),
offered AS MATERIALIZED (
  SELECT f.id, array_position(CAST(:families AS text[]), p.family)::bigint AS family
    FROM offering f JOIN product p ON p.id = f.product_id WHERE f.pool_id = :pool)
SELECT * FROM (
  SELECT l.household_id, l.id, l.held - a.pieces * l.minor AS minor, f.family,
         coalesce(a.entitled_micro - 1000000 * (a.pieces - a.extra), 0) AS micro
    FROM award a JOIN line l ON l.id = a.line_id JOIN offered f ON f.id = a.offering_id
   WHERE a.run_id = :run) AS m
 WHERE minor <> 0 OR micro <> 0
"""

_FAMILIES = text(
    "SELECT DISTINCT p.family FROM offering f JOIN product p ON p.id = f.product_id WHERE f.pool_id = :pool ORDER BY 1"
)

_MOVE_STANDING = text("""
INSERT INTO standing (season_id, family, household_id, owed_micro)
SELECT :season, (CAST(:families AS text[]))[m.family], m.household, m.micro
  FROM unnest(CAST(:numbers AS int[]), CAST(:households AS bigint[]), CAST(:micro AS bigint[])) AS m (family, household, micro)
ON CONFLICT (season_id, family, household_id) DO UPDATE SET owed_micro = standing.owed_micro + excluded.owed_micro
""")


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


def _figures(measured: Fill) -> dict[str, int | str]:
    return {
        "claims": measured.claims,
        "pieces": measured.pieces,
        "short": measured.short,
        "lowest_fill": four_decimals(measured.lowest),
        "jain": four_decimals(measured.jain),
    }


def _locked_run(session: Session, run_id: int) -> AllocationRun:
    run = session.get(AllocationRun, run_id, with_for_update=True)
    if run is None:
        raise NotFound("There is no such allocation run.")
    return run


def _check_order_of_closings(session: Session, pool: Pool) -> None:
    published = select(AllocationRun.pool_id).where(AllocationRun.state == "published")
    earlier = session.scalar(
        select(Pool.name)
        .where(
            Pool.season_id == pool.season_id,
            Pool.opened_at.is_not(None),
            (Pool.closes_at < pool.closes_at) | ((Pool.closes_at == pool.closes_at) & (Pool.id < pool.id)),
            Pool.id.not_in(published),
        )
        .order_by(Pool.closes_at)
        .limit(1)
    )
    if earlier is not None:
        raise RuleBroken("earlier_pool", f"{earlier} closed before this pool. Publish its sharing out first.")


def _choose_rule(
    session: Session, season: Season, rule: str | None, memory: str | None, credit_cap: int | None, *, by: int
) -> None:
    """Take the season's rule, or settle it for a season brought in from files, before its first sharing out."""
    wanted = rule_named(rule) if rule else season.rule
    if memory is not None and wanted != STANDING_RULE:
        raise RuleBroken("no_memory", f"The rule {wanted} has no memory, so leave the memory out.", field="memory")
    kept = "none" if wanted != STANDING_RULE else memory or (season.memory if season.memory != "none" else "rounding")
    if memory is None and credit_cap is None and (wanted, kept) == (season.rule, season.memory):
        return
    Terms(None if kept == "none" else kept, credit_cap)
    if (wanted, kept, credit_cap) == (season.rule, season.memory, season.credit_cap):
        return
    begun = session.get(ChainHead, season.id) is not None
    if season.files_digest is None or begun:
        raise RuleBroken(
            "rule_fixed",
            f"This season is shared out by {_terms_words(season)}, as members were told.",
            field="rule",
        )
    seasons.agree_rule(session, season, wanted, kept, credit_cap, by=by)


def _terms_words(season: Season) -> str:
    cap = "" if season.credit_cap is None else f" and credit cap {season.credit_cap}"
    return f"{season.rule} with memory {season.memory}{cap}"


def _release_yields(session: Session, pool_id: int, *, by: int, at: datetime, without_missing: bool) -> None:
    wanted = list(session.scalars(select(Offering.batch_id).where(Offering.pool_id == pool_id)))
    missing = batches.without_report(session, wanted)
    if missing and not without_missing:
        raise RuleBroken(
            "yields_missing",
            f"{missing} of {len(wanted)} batches have no yield reported yet. Wait for them, or count them as nothing made.",
            field="without_missing",
        )
    batches.release_latest(session, wanted, by=by, at=at)


def _locked_chain(session: Session, season_id: int) -> ChainHead:
    """Hold the end of the season's chain until commit: one writer a season."""
    session.execute(
        text("INSERT INTO chain_head (season_id, result_digest) VALUES (:season, :start) ON CONFLICT DO NOTHING"),
        {"season": season_id, "start": CHAIN_START},
    )
    return session.get_one(ChainHead, season_id, with_for_update=True)


def _book(session: Session, run: AllocationRun, season_id: int, *, at: datetime) -> None:
    """Give back what was held for pieces that did not come, and move the standing on."""
    families = list(session.scalars(_FAMILIES, {"pool": run.pool_id}))
    moved = columns_of(
        session,
        _MOVED,
        {"run": run.id, "pool": run.pool_id, "families": families},
        ("household", "line", "minor", "family", "micro"),
    )
    _release_short(session, run, moved, at=at)
    if run.memory != "none":
        _move_standing(session, season_id, families, moved)


def hold_chain(session: Session, season_id: int) -> str:
    """Be the season's one writer until commit, and return where its chain stands."""
    return _locked_chain(session, season_id).result_digest


def chain_end(session: Session, season_id: int) -> str | None:
    """Return where a season's chain stands, None before its first publication."""
    return session.scalar(select(ChainHead.result_digest).where(ChainHead.season_id == season_id))


def move_chain(session: Session, run: AllocationRun) -> None:
    """Let the season's chain end with a run that is published now."""
    head = _locked_chain(session, session.get_one(Pool, run.pool_id).season_id)
    assert run.result_digest is not None
    head.result_digest, head.run_id = run.result_digest, run.id


def _release_short(session: Session, run: AllocationRun, moved: dict[str, Whole], *, at: datetime) -> None:
    agreed = policy.all_current(session, at=at)
    day = booking_day(session, run.pool_id, today=local_day(at, agreed["zone"]))
    order = np.lexsort((moved["line"], moved["household"]))
    order = order[moved["minor"][order] != 0]
    short: dict[int, list[tuple[str, int, int]]] = {}
    for household_id, line_id, minor in zip(
        *(moved[name][order].tolist() for name in ("household", "line", "minor")), strict=True
    ):
        short.setdefault(household_id, []).append((household_party(household_id), line_id, minor))
    entries = [
        Entry(f"alloc:{run.id}:{household_id}", "allocation", day, released_from_hold(lines))
        for household_id, lines in short.items()
    ]
    ledger.post_all(session, entries, by=run.published_by or 0, currency=agreed["currency"])


def _move_standing(session: Session, season_id: int, families: list[str], moved: dict[str, Whole]) -> None:
    accounts, places = np.unique(np.stack([moved["family"], moved["household"]], axis=1), axis=0, return_inverse=True)
    micro = np.zeros(len(accounts), np.int64)
    np.add.at(micro, places.reshape(-1), moved["micro"])
    numbers, households = accounts[:, 0].tolist(), accounts[:, 1].tolist()
    values = {"numbers": bigints(numbers), "households": bigints(households), "micro": bigints(micro.tolist())}
    session.execute(_MOVE_STANDING, {"season": season_id, "families": families} | values)


def _tell_members(session: Session, run: AllocationRun, pool: Pool) -> None:
    ordered = session.scalars(
        text("SELECT household_id FROM household_order WHERE pool_id = :pool ORDER BY household_id"), {"pool": pool.id}
    )
    people.tell_households(
        session, f"published:{run.id}", "allocation_published", list(ordered), {"pool": pool.name, "pool_id": pool.id}
    )

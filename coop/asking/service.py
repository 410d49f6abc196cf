"""Ask for the sharing out of a closed pool: freeze its inputs by the rule of its season. Repeating it changes nothing."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation.models import AllocationRun, ChainHead
from coop.allocation.service import LIVE, earlier_first, first_before
from coop.audit import service as audit
from coop.batches import service as batches
from coop.core.claims import STANDING_RULE, Terms, rule_named
from coop.core.errors import RuleBroken
from coop.db import Db, columns_of, locked
from coop.pools.models import Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season
from coop.standings import service as standings


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
    their cut-offs; one may be asked for while those before it are still being booked, unless the standing has to be
    settled in between. Raises `not_closed`, `earlier_pool`, `yields_missing`, `rule_fixed` or `unknown_rule`.
    """
    with db.begin() as session:
        pool = locked(session, Pool, pool_id, called="pool")
        live = session.scalar(
            select(AllocationRun.id).where(AllocationRun.pool_id == pool_id, AllocationRun.state.in_(LIVE))
        )
        if live is not None:
            return live
        if pool.closed_at is None:
            raise RuleBroken("not_closed", "Orders are still open. Share the pool out once it has closed.")
        being_booked = _check_order_of_closings(session, pool)
        season = session.get_one(Season, pool.season_id, with_for_update={"key_share": True})
        if being_booked and standings.may_need_settling(session, season, pool):
            raise RuleBroken("earlier_pool", earlier_first(being_booked))
        begun = being_booked is not None or session.get(ChainHead, season.id) is not None
        _choose_rule(session, season, rule, memory, credit_cap, begun=begun, by=by)
        _release_yields(session, pool_id, by=by, at=at, without_missing=without_missing)
        if being_booked is None:
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


def _check_order_of_closings(session: Session, pool: Pool) -> str | None:
    """Refuse to overtake a pool that closed before; name one that counts but is not booked yet."""
    earlier = first_before(session, pool, {"publishing", "published"})
    if earlier is not None:
        raise RuleBroken("earlier_pool", earlier_first(earlier))
    return first_before(session, pool, {"published"})


def _choose_rule(
    session: Session,
    season: Season,
    rule: str | None,
    memory: str | None,
    credit_cap: int | None,
    *,
    begun: bool,
    by: int,
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
    offered = columns_of(session, "SELECT batch_id FROM offering WHERE pool_id = :pool", {"pool": pool_id}, ("batch",))
    wanted = offered["batch"].tolist()
    missing = batches.release_latest(session, wanted, by=by, at=at).missing
    if missing and not without_missing:
        raise RuleBroken(
            "yields_missing",
            f"{missing} of {len(wanted)} batches have no yield reported yet. Wait for them, or count them as nothing made.",
            field="without_missing",
        )

"""Read what an allocation needs, and what its pages show."""

from dataclasses import replace

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.allocation.models import AllocationRun, AwardOverride, ChainHead
from coop.core.claimants import Offered, choices_of, gathered, pseudonym
from coop.core.claims import TOGETHER_RULE, Standing, Terms
from coop.core.pool_correction import BatchVersion, correct
from coop.core.pool_overrides import changed_by_hand
from coop.core.pool_run import PoolProblem, proof_of, share_out
from coop.core.records import CHAIN_START
from coop.db import bigints, columns_of
from coop.draws import service as draws
from coop.draws.service import Drawn
from coop.pools.models import Pool
from coop.seasons import service as seasons
from coop.seasons.models import Season

# batches are looked up one by one, or the planner would rather read those of all seasons
_OFFERED = text("""
SELECT f.id, b.lot_number, p.family, f.rule, coalesce(r.pieces, 0)
  FROM offering f
  JOIN product p ON p.id = f.product_id
  JOIN LATERAL (SELECT lot_number FROM batch WHERE id = f.batch_id LIMIT 1) b ON true
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = f.batch_id ORDER BY version DESC LIMIT 1) r ON true
 WHERE f.pool_id = :pool
 ORDER BY b.lot_number COLLATE "C"
""")

_CLAIMS = """
SELECT l.offering_id, o.household_id, l.id, l.wish, l.up_to - l.wish, l.ordered_at
  FROM household_order o JOIN order_line l ON l.order_id = o.id
 WHERE o.pool_id = :pool AND l.up_to > 0
"""

_CHOSEN = text("""
SELECT l.id, l.choice, l.rank FROM household_order o JOIN order_line l ON l.order_id = o.id
 WHERE o.pool_id = :pool AND l.up_to > 0 AND l.choice IS NOT NULL
""")

_STANDING = text(
    "SELECT family, household_id, owed_micro, entitled_micro FROM standing WHERE season_id = :season AND household_id = ANY(CAST(:households AS bigint[]))"
)


# where each claimant stood before the first of its batches in the order of application
_OPENING = text("""
SELECT DISTINCT ON (p.family, o.household_id) p.family, o.household_id, a.owed_before_micro, a.entitled_before_micro
  FROM award a
  JOIN order_line l ON l.id = a.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = a.offering_id
  JOIN product p ON p.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
 WHERE a.run_id = :run AND a.owed_before_micro IS NOT NULL
 ORDER BY p.family, o.household_id, b.lot_number COLLATE "C"
""")


def frozen_claims(session: Session, run: AllocationRun, field_key: bytes, own: Drawn | None = None) -> PoolProblem:
    """Read what was frozen when a run was asked for, without where its claimants stand; `own` is the pool's draw if it was read."""
    pool = session.get_one(Pool, run.pool_id)
    season = session.get_one(Season, pool.season_id)
    terms = Terms(None if run.memory == "none" else run.memory, run.credit_cap)
    return _claims_of_pool(session, pool, season, rule=run.rule, terms=terms, field_key=field_key, own=own)


def terms_of(season: Season) -> Terms:
    """Return what the season agreed about its memory."""
    return Terms(None if season.memory == "none" else season.memory, season.credit_cap)


def pool_problem(
    session: Session, pool: Pool, season: Season, *, rule: str, terms: Terms, field_key: bytes
) -> PoolProblem:
    """Read a pool's batches, claims and opening standing, under a rule.

    Where the seed is not known yet, the season's secret stands in for it: good for a look, never for an outcome.
    """
    claims = _claims_of_pool(session, pool, season, rule=rule, terms=terms, field_key=field_key, own=None)
    return with_opening(session, claims, season, field_key)


def _claims_of_pool(
    session: Session,
    pool: Pool,
    season: Season,
    *,
    rule: str,
    terms: Terms,
    field_key: bytes,
    own: Drawn | None,
) -> PoolProblem:
    secret = seasons.season_secret(session, season.id, field_key)
    offered = [Offered._make(row) for row in session.execute(_OFFERED, {"pool": pool.id}).all()]
    claims = columns_of(
        session, _CLAIMS, {"pool": pool.id}, ("offering", "household", "line", "wish", "more", "raised"), {"raised"}
    )
    households = np.unique(claims["household"]).tolist()
    own = own or draws.drawn(session, pool.id)
    assert pool.opened_at is not None
    guests = dict.fromkeys(households, season.guest_weight)
    weights = guests | seasons.weights(session, season.id, at=pool.opened_at, of=households)
    together = any((row.rule or rule) == TOGETHER_RULE for row in offered)
    chosen = {row.id: (row.choice, row.rank) for row in session.execute(_CHOSEN, {"pool": pool.id})} if together else {}
    batches = gathered(claims, offered, secret, weights, rule, chosen)
    return PoolProblem(
        season=season.name,
        pool=pool.name,
        rule=rule,
        terms=terms,
        source=own.source_with(secret, pool.name),
        chain_start=CHAIN_START,
        batches=batches,
        standing=Standing(),
        commitment=draws.commitment_of(session, pool.id),
        choices=choices_of(batches, chosen),
    )


def with_opening(session: Session, problem: PoolProblem, season: Season, field_key: bytes) -> PoolProblem:
    """Add where a pool's claimants stand, and the chain of their season."""
    # the chain comes first: if it moves before the standing is read, the run ends at its publication
    chain_start = session.scalar(select(ChainHead.result_digest).where(ChainHead.season_id == season.id))
    standing = Standing()
    if problem.terms.memory is not None:
        secret = seasons.opened(season.secret_sealed, field_key)
        households = {household_id for claimed in problem.batches for household_id in claimed.household_ids}
        asked = {"season": season.id, "households": bigints(households)}
        for family, household_id, owed, entitled in session.execute(_STANDING, asked).all():
            name = pseudonym(secret, family, household_id)
            standing.owed[name], standing.entitled[name] = owed, entitled
    return replace(problem, standing=standing, chain_start=chain_start or CHAIN_START)


def problem_of_run(session: Session, run: AllocationRun, field_key: bytes) -> PoolProblem:
    """Read a run's problem as it was when it was worked out, whatever was published or corrected since.

    A corrected pool is read as it was first shared out: a correction is a version of one batch, with no problem of its own.
    """
    problem = frozen_claims(session, run, field_key)
    if run.result_digest is None:
        season = session.get_one(Season, session.get_one(Pool, run.pool_id).season_id)
        return with_opening(session, problem, season, field_key)
    secret = seasons.season_secret(session, session.get_one(Pool, run.pool_id).season_id, field_key)
    first = versions_of(session, run)[0]
    standing = Standing()
    for family, household_id, owed, entitled in session.execute(_OPENING, {"run": first.id}):
        name = pseudonym(secret, family, household_id)
        standing.owed[name] = owed
        standing.entitled[name] = entitled or 0
    batches = problem.batches
    if made := _made_at_first(session, run.pool_id):
        batches = [
            replace(one, batch=replace(one.batch, units=made.get(one.offering_id, one.batch.units))) for one in batches
        ]
    return replace(problem, batches=batches, standing=standing, chain_start=first.chain_start or CHAIN_START)


def versions_of(session: Session, run: AllocationRun) -> list[AllocationRun]:
    """Return a run with the versions that it corrects, the first one first."""
    versions = [run]
    while versions[0].corrects_id is not None:
        versions.insert(0, session.get_one(AllocationRun, versions[0].corrects_id))
    return versions


def _made_at_first(session: Session, pool_id: int) -> dict[int, int]:
    """Return, by offering, the pieces that corrected batches were first shared out with."""
    corrected = session.scalars(
        select(AllocationRun)
        .where(AllocationRun.pool_id == pool_id, AllocationRun.corrects_id.is_not(None))
        .order_by(AllocationRun.version.desc())
    )
    return {run.offering_id: run.units_before for run in corrected if run.offering_id and run.units_before is not None}


def proof_of_run(session: Session, run_id: int, field_key: bytes) -> bytes:
    """Write the proof of a run anew from what it froze and where its claimants stood; it must end at the digest it had then."""
    run = session.get_one(AllocationRun, run_id)
    problem = problem_of_run(session, run, field_key)
    shared = share_out(problem)
    first, *later = versions_of(session, run)
    links = {one.offering_id: link for one, link in zip(problem.batches, shared.links, strict=True)}
    lines = [proof_of(problem, shared)]
    by_hand = changed_by_hand(overrides_of(session, first.id), problem, shared)
    end = list(by_hand.values())[-1].link if by_hand else shared.result_digest
    assert end == first.result_digest, f"run {first.id} can no longer be recomputed"
    links |= {offering_id: made.link for offering_id, made in by_hand.items()}
    lines += [made.line for made in by_hand.values()]
    counts: dict[int, int] = {}
    for version in later:
        assert version.offering_id is not None
        assert version.units is not None
        counts[version.offering_id] = number = counts.get(version.offering_id, 1) + 1
        rows = session.execute(_FLOORS, {"run": version.id, "offering": version.offering_id})
        floors = {row.line_id: row.floor for row in rows}
        made = BatchVersion(version.offering_id, number, version.units, floors)
        corrected = correct(problem, shared, made, links[version.offering_id], version.chain_start or CHAIN_START)
        assert corrected.link == version.result_digest, f"run {version.id} can no longer be recomputed"
        links[version.offering_id] = corrected.link
        lines += corrected.lines()
    return b"".join(lines)


def overrides_of(session: Session, run_id: int) -> list[AwardOverride]:
    """Return the approved changes by hand of a run, but for those that leave what the rule gave."""
    changed = (AwardOverride.state == "approved", AwardOverride.pieces != AwardOverride.computed)
    return list(session.scalars(select(AwardOverride).where(AwardOverride.run_id == run_id, *changed)))


_FLOORS = text("SELECT line_id, floor FROM award WHERE run_id = :run AND offering_id = :offering")

"""Work out how fairly a season was shared out: asked for by an admin, done by the worker, kept as a version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation.models import AllocationRun
from coop.allocation.queries import frozen_claims
from coop.audit import service as audit
from coop.core.claims import TOGETHER_RULE
from coop.core.collector import collecting_seldom
from coop.core.comparison import USUAL
from coop.core.errors import NotFound, RuleBroken
from coop.core.fairness import four_decimals
from coop.core.season_comparison import SeasonPool, SeasonUnderRule
from coop.core.season_report import AsItWas, MemberFill, report
from coop.core.tickets import seed_of
from coop.db import Db, columns_of
from coop.fairness.models import FairnessReport
from coop.jobs import Lease
from coop.pools.models import Pool
from coop.seasons.models import Season
from coop.standings.queries import reach_of_season

_AWARDED = "SELECT line_id, pieces FROM award WHERE run_id = :run"

_BY_POOL = text("""
SELECT p.name, sum(l.wish)::bigint AS wished, sum(least(a.pieces, l.wish))::bigint AS received
  FROM pool p JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id JOIN order_line l ON l.id = a.line_id
 WHERE p.season_id = :season GROUP BY p.id ORDER BY p.closes_at, p.id
""")

_BY_CRAFT = text("""
SELECT m.craft, count(DISTINCT m.id) AS makers, sum(l.wish)::bigint AS wished, sum(least(a.pieces, l.wish))::bigint AS received
  FROM pool p JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id JOIN order_line l ON l.id = a.line_id
  JOIN offering f ON f.id = a.offering_id JOIN product d ON d.id = f.product_id JOIN artisan m ON m.id = d.artisan_id
 WHERE p.season_id = :season GROUP BY m.craft HAVING sum(l.wish) > 0 ORDER BY m.craft
""")


def request_report(db: Db, season_id: int, *, by: int, at: datetime) -> int:
    """Ask the worker for a new report on a season; one that is under way is returned as it is.

    Raises `nothing_published` before the season's first sharing out was published.
    """
    with db.begin() as session:
        if session.get(Season, season_id, with_for_update=True) is None:
            raise NotFound("There is no such season.")
        made = list(session.scalars(select(FairnessReport).where(FairnessReport.season_id == season_id)))
        under_way = next((one.id for one in made if one.state == "requested"), None)
        if under_way is not None:
            return under_way
        if not _published(session, season_id):
            said = "No pool of this season has been shared out and published yet."
            raise RuleBroken("nothing_published", said)
        version = 1 + max((one.version for one in made), default=0)
        row = FairnessReport(season_id=season_id, version=version, requested_by=by, requested_at=at)
        session.add(row)
        session.flush()
        jobs.request(session, jobs.COMPUTE_FAIRNESS, row.id)
        audit.record(
            session, "request_fairness_report", by=by, subject=("season", season_id), detail={"version": version}
        )
        return row.id


@collecting_seldom()
def carry_out(db: Db, lease: Lease, *, at: datetime, field_key: bytes) -> None:
    """Work a report out and keep it. Repeating it changes nothing."""
    with db() as session:
        row = session.get_one(FairnessReport, lease.row_id)
        season = session.get_one(Season, row.season_id)
        is_wanted, rule = row.state == "requested", season.rule
    figures = _worked_out(db, lease.row_id, season.id, rule, field_key) if is_wanted else None
    with db.begin() as session:
        jobs.finish(session, lease)
        row = session.get_one(FairnessReport, lease.row_id, with_for_update=True)
        if row.state == "requested" and figures is not None:
            row.figures, row.state, row.made_at, row.done = figures, "ready", at, row.steps


def fail(session: Session, report_id: int, why: str) -> None:
    """Mark a report that its worker had to give up, with the reason in plain words."""
    row = session.get_one(FairnessReport, report_id, with_for_update=True)
    if row.state == "requested":
        row.state, row.failure = "failed", why


def _published(session: Session, season_id: int) -> list[AllocationRun]:
    """Return the season's published runs in the order in which they count."""
    runs = (
        select(AllocationRun)
        .join(Pool, Pool.id == AllocationRun.pool_id)
        .where(Pool.season_id == season_id, AllocationRun.state == "published")
        .order_by(Pool.closes_at, Pool.id)
    )
    return list(session.scalars(runs))


def _worked_out(db: Db, report_id: int, season_id: int, rule: str, field_key: bytes) -> dict[str, Any]:
    """Read the season pool by pool, then replay it with no transaction open: a long one would be ended."""
    others = [one for one in USUAL if one != rule]
    with db() as session:
        runs = [run.id for run in _published(session, season_id)]
    steps = len(runs) + 1 + len(others)
    pools, awards, left_out = [], [], 0
    households: dict[int, int] = {}
    for done, run_id in enumerate(runs):
        _note(db, report_id, done, steps)
        with db() as session:
            run = session.get_one(AllocationRun, run_id)
            pool, given, apart = _read(session, run, field_key, households)
        pools.append(pool)
        awards.append(given)
        left_out += apart
    if not any(sum(batch.requests) for pool in pools for batch in pool.batches):
        raise RuleBroken("nothing_wished", "Nobody wished for anything in this season's published pools.")
    parts = []
    for done, part in enumerate(report(pools, awards, len(households), rule, others), len(runs) + 1):
        parts.append(part)
        _note(db, report_id, done, steps)
    counted = {"pools": len(pools), "batches": sum(len(pool.batches) for pool in pools), "left_out": left_out}
    with db() as session:
        return _figures(session, season_id, parts, list(households)) | counted


def _note(db: Db, report_id: int, done: int, steps: int) -> None:
    """Let the page see how far it is."""
    with db.begin() as session:
        session.execute(
            text("UPDATE fairness_report SET done = :done, steps = :steps WHERE id = :id AND state = 'requested'"),
            {"id": report_id, "done": done, "steps": steps},
        )


def _read(
    session: Session, run: AllocationRun, field_key: bytes, households: dict[int, int]
) -> tuple[SeasonPool, list[list[int]], int]:
    """Read what a published pool froze, with its latest yields, and what it awarded; batches shared out together are counted apart."""
    problem = frozen_claims(session, run, field_key)
    assert run.input_digest is not None
    kept = columns_of(session, _AWARDED, {"run": run.id}, ("line", "pieces"))
    pieces = dict(zip(kept["line"].tolist(), kept["pieces"].tolist(), strict=True))
    batches, members, given = [], [], []
    for claimed in problem.batches:
        if claimed.batch.rule != TOGETHER_RULE and claimed.line_ids:
            batches.append(claimed.batch)
            members.append([households.setdefault(one, len(households)) for one in claimed.household_ids])
            given.append([pieces.get(line, 0) for line in claimed.line_ids])
    seed = seed_of(problem.source.value, run.input_digest)
    apart = sum(claimed.batch.rule == TOGETHER_RULE for claimed in problem.batches)
    return SeasonPool(batches, members, seed), given, apart


def _figures(
    session: Session, season_id: int, parts: Sequence[AsItWas | SeasonUnderRule], households: Sequence[int]
) -> dict[str, Any]:
    first, *others = parts
    assert isinstance(first, AsItWas)
    ruled = [first.under, *(one for one in others if isinstance(one, SeasonUnderRule))]
    asked = {"season": season_id}
    reached = reach_of_season(session, season_id)
    return {
        "rule": first.under.rule,
        "histogram": list(first.histogram),
        "rules": [_under(one) for one in ruled],
        "lowest": [_member(one, households) for one in first.lowest],
        "unserved": [_member(one, households) for one in first.unserved],
        "rows": [list(row) for row in first.rows],
        "by_pool": [row._asdict() for row in session.execute(_BY_POOL, asked)],
        "by_craft": [row._asdict() for row in session.execute(_BY_CRAFT, asked)],
        "reach": [
            {"family": one.family, "household": one.household_id, "owed": one.owed_text, "bound": one.bound_text}
            | {"members": one.members, "is_promised": one.is_promised}
            for one in reached
        ],
    }


def _under(one: SeasonUnderRule) -> dict[str, Any]:
    numbers = {name: getattr(one, name) for name in ("rule", "received", "wished", "members", "fully_served")}
    ratios = {name: four_decimals(getattr(one, name)) for name in ("jain", "lowest", "tenth", "median")}
    return numbers | ratios | {"most_short": one.most_short, "longest_misses": one.longest_misses}


def _member(one: MemberFill, households: Sequence[int]) -> dict[str, int]:
    return {
        "household": households[one.place],
        "wished": one.wished,
        "received": one.received,
        "longest": one.longest,
    }

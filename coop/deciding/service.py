"""Bring in who gets what as it was decided, or decided again by difference.

For pools that were shared out outside this system, at a meeting or by another program: no rule is asked, and no standing moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun, Award
from coop.audit import service as audit
from coop.batches import service as batches
from coop.core.canonical import digest
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db, copy_rows
from coop.people import service as people
from coop.pools import service as pools
from coop.pools.models import Pool
from coop.publishing import service as publishing
from coop.versions import service as versions

DECIDED = "decided"
"""How a run says that people decided it, where others name their rule."""


class _Asked(NamedTuple):
    """A line of a pool that is decided: what it takes at most, and what it has by now."""

    pool_id: int
    line_id: int
    offering_id: int
    batch_id: int
    household_id: int
    wish: int
    up_to: int
    handed: int
    awarded: int | None


@dataclass(slots=True)
class _Decided:
    """A line of a batch that is decided again; no rule was asked, so it moves no standing."""

    line_id: int
    floor: int
    pieces: int
    extra: int
    entitled_micro: int | None = None
    owed_before_micro: int | None = None
    entitled_before_micro: int | None = None


def decide(
    db: Db, awards: Mapping[int, int], made: Mapping[int, int], *, by: int, at: datetime, key: str
) -> Sequence[int]:
    """Decide what lines get, as {line: pieces} out of {batch: pieces made}, whole or not at all; return the pools' runs.

    What was decided before is decided again by difference, unless pieces were handed over. Other lines of a pool that is decided for
    the first time get nothing. Raises `over_allocated`, `exceeds_order`, `already_delivered`, `insufficient_credit` or `run_under_way`.
    """
    with db.begin() as session:
        body = {"act": "decide", "awards": sorted(awards.items()), "made": sorted(made.items())}
        if keys.spend(session, by=by, key=key, body=body) is not None:
            return []
        pool_ids = _held_pools(session, list(awards))
        asked = [_Asked(*row) for row in session.execute(_ASKED, {"pools": pool_ids})]
        _check(asked, awards, made)
        runs = []
        for pool_id, own in groupby(asked, key=attrgetter("pool_id")):
            pool = session.get_one(Pool, pool_id)
            lines = list(own)
            before = _published(session, pool_id)
            if before is None:
                runs.append(_first(session, pool, lines, awards, made, by=by, at=at))
            else:
                runs.append(_again(session, before, lines, awards, made, by=by, at=at))
        audit.record(session, "decide", by=by, subject=("allocation_run", runs[0] if runs else 0), detail=body)
        keys.answer(session, by=by, key=key, row_id=runs[0] if runs else 0)
        return runs


_ASKED = text("""
SELECT o.pool_id, l.id, l.offering_id, f.batch_id, o.household_id, l.wish, l.up_to,
       (SELECT coalesce(sum(h.pieces), 0) FROM hand_over_line h WHERE h.line_id = l.id)::bigint,
       (SELECT a.pieces FROM award a JOIN allocation_run r ON r.id = a.run_id AND r.state = 'published' AND r.pool_id = o.pool_id
         WHERE a.offering_id = l.offering_id AND a.line_id = l.id)
  FROM household_order o JOIN order_line l ON l.order_id = o.id JOIN offering f ON f.id = l.offering_id
 WHERE o.pool_id = ANY(:pools) AND l.up_to > 0 ORDER BY o.pool_id, l.offering_id, l.id
""")


def _held_pools(session: Session, line_ids: Sequence[int]) -> list[int]:
    """Return the pools of these lines, held until commit. Raises NotFound for a line that is none."""
    found = session.execute(
        text(
            "SELECT l.id, o.pool_id FROM order_line l JOIN household_order o ON o.id = l.order_id WHERE l.id = ANY(:l)"
        ),
        {"l": list(line_ids)},
    ).all()
    if len(found) < len(set(line_ids)):
        raise NotFound("One of these is no line of an order.")
    pool_ids = sorted({row.pool_id for row in found})
    for pool_id in pool_ids:
        session.get(Pool, pool_id, with_for_update=True)
    return pool_ids


def _check(asked: Sequence[_Asked], awards: Mapping[int, int], made: Mapping[int, int]) -> None:
    given: dict[int, int] = {}
    for line in asked:
        pieces = awards.get(line.line_id, line.awarded or 0)
        given[line.batch_id] = given.get(line.batch_id, 0) + pieces
    for batch_id, pieces in given.items():
        if batch_id in made and pieces > made[batch_id]:
            raise RuleBroken("over_allocated", f"{pieces} pieces are given away, but only {made[batch_id]} were made.")
    most = {line.line_id: line.up_to for line in asked}
    for line_id, pieces in awards.items():
        if not 0 <= pieces <= most.get(line_id, 0):
            said = f"This line takes at most {most.get(line_id, 0)}, so it cannot get {pieces}."
            raise RuleBroken("exceeds_order", said)
    for line in asked:
        if line.handed and line.line_id in awards:
            raise RuleBroken("already_delivered", "Pieces of this line were handed over already, so it stands.")


def _published(session: Session, pool_id: int) -> AllocationRun | None:
    run = session.scalar(
        select(AllocationRun).where(AllocationRun.pool_id == pool_id, AllocationRun.state.in_(allocation.LIVE))
    )
    if run is not None and run.state != "published":
        raise RuleBroken("run_under_way", "This pool is being shared out. Publish it or put it aside first.")
    return run


def _first(
    session: Session,
    pool: Pool,
    lines: Sequence[_Asked],
    awards: Mapping[int, int],
    made: Mapping[int, int],
    *,
    by: int,
    at: datetime,
) -> int:
    pools.end_ordering(session, pool, by=by, at=at, reason="decided")
    given = {line.line_id: awards.get(line.line_id, 0) for line in lines}
    for batch_id in sorted({line.batch_id for line in lines}):
        shared = sum(given[line.line_id] for line in lines if line.batch_id == batch_id)
        batches.release(session, batch_id, made.get(batch_id, shared), by=by, at=at)
    chain_start = allocation.hold_chain(session, pool.season_id)
    run = AllocationRun(
        pool_id=pool.id,
        rule=DECIDED,
        memory="none",
        state="published",
        requested_by=by,
        requested_at=at,
        chain_start=chain_start,
        result_digest=_digest(chain_start, given),
        proposed_at=at,
        published_by=by,
        published_at=at,
    )
    session.add(run)
    session.flush()
    rows = ((run.id, line.offering_id, line.line_id, given[line.line_id], _extra(line, given[line.line_id])) for line in lines)  # fmt: skip
    copy_rows(session, "award", ("run_id", "offering_id", "line_id", "pieces", "extra"), rows)
    run.figures = versions.measured(session, run.id) | {"claims": len(lines), "seconds": "0.000"}
    publishing.book(session, run, pool.season_id, at=at)
    allocation.move_chain(session, run)
    publishing.tell_members(session, run, pool)
    return run.id


def _again(
    session: Session,
    run: AllocationRun,
    lines: Sequence[_Asked],
    awards: Mapping[int, int],
    made: Mapping[int, int],
    *,
    by: int,
    at: datetime,
) -> int:
    """Decide again each batch whose lines are named, each a version of the pool's outcome."""
    run_id = run.id
    for (offering_id, batch_id), group in groupby(lines, key=attrgetter("offering_id", "batch_id")):
        own = list(group)
        if not any(line.line_id in awards for line in own):
            continue
        given = {line.line_id: awards.get(line.line_id, line.awarded or 0) for line in own}
        before, units = _released(session, batch_id), made.get(batch_id, sum(given.values()))
        for line in own:
            people.lock_household(session, line.household_id)
        batches.release(session, batch_id, units, by=by, at=at)
        chain_start = allocation.hold_chain(session, session.get_one(Pool, run.pool_id).season_id)
        decided = [_Decided(line.line_id, line.handed, given[line.line_id], _extra(line, given[line.line_id])) for line in own]  # fmt: skip
        corrected = versions.Corrected(offering_id, before, units, chain_start, _digest(chain_start, given), decided)
        run_id = versions.supersede(session, session.get_one(AllocationRun, run_id), corrected, by=by, at=at)
        declined = select(Award.line_id).where(Award.run_id == run_id, Award.offering_id == offering_id, Award.declined > 0)  # fmt: skip
        if session.scalar(declined.limit(1)) is not None:
            raise RuleBroken("insufficient_credit", "A household's credit does not cover the pieces it would get more.")
    return run_id


def _released(session: Session, batch_id: int) -> int:
    latest = "SELECT pieces FROM release WHERE batch_id = :batch ORDER BY version DESC LIMIT 1"
    return int(session.scalar(text(latest), {"batch": batch_id}) or 0)


def _extra(line: _Asked, pieces: int) -> int:
    return max(0, pieces - line.wish)


def _digest(chain_start: str, given: Mapping[int, int]) -> str:
    awards = {str(line_id): pieces for line_id, pieces in sorted(given.items())}
    return digest({"awards": awards, "chain_start": chain_start, "rule": DECIDED})

"""Correct a published sharing out after a corrected yield: ask, work the one batch out anew, publish the differences."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import jobs
from coop.allocation import queries as allocated
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.audit import service as audit
from coop.batches import service as batches
from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound, RuleBroken
from coop.core.pool_correction import BatchVersion, correct
from coop.core.pool_overrides import changed_by_hand
from coop.core.pool_run import share_out
from coop.core.records import CHAIN_START
from coop.corrections.models import Correction, CorrectionLine
from coop.corrections.queries import LINES
from coop.db import Db, copy_rows, locked
from coop.jobs import Lease
from coop.orders.models import OrderLine
from coop.people import service as people
from coop.pools.models import Offering, Pool
from coop.proposals import service as proposals
from coop.versions import service as versions

LIVE = ("requested", "proposed", "publishing")

_HANDED = """
SELECT l.id, sum(h.pieces)::bigint AS pieces FROM order_line l JOIN hand_over_line h ON h.line_id = l.id
 WHERE l.offering_id = :offering GROUP BY l.id
"""


def request_correction(db: Db, offering_id: int, *, by: int, at: datetime) -> int:
    """Ask the worker to share out a batch anew whose yield was corrected after it was published; return the correction's id.

    One that is under way for this batch is returned as it is. Raises `not_published`, `nothing_corrected`,
    `below_delivered` or `correction_under_way`.
    """
    with db.begin() as session:
        offering = session.get(Offering, offering_id)
        if offering is None:
            raise NotFound("There is no such batch in a pool.")
        session.get(Pool, offering.pool_id, with_for_update=True)
        live = session.scalar(
            select(Correction).where(Correction.pool_id == offering.pool_id, Correction.state.in_(LIVE))
        )
        if live is not None and live.offering_id == offering_id:
            return live.id
        if live is not None:
            raise RuleBroken(
                "correction_under_way", "Another batch of this pool is being corrected. Finish that first."
            )
        allocation.check_published(session, offering.pool_id)
        _refuse_linked(session, offering)
        before, made = _pieces(session, offering.batch_id)
        if made == before:
            raise RuleBroken("nothing_corrected", "The yield of this batch is the one that was shared out.")
        handed = sum(_handed(session, offering_id).values())
        if handed > made:
            raise RuleBroken("below_delivered", f"{handed} pieces are handed over already; it cannot have been fewer.")
        correction = Correction(
            pool_id=offering.pool_id,
            offering_id=offering_id,
            run_id=_published_run(session, offering.pool_id).id,
            units_before=before,
            units=made,
            requested_by=by,
            requested_at=at,
        )
        session.add(correction)
        session.flush()
        jobs.request(session, jobs.COMPUTE_CORRECTION, correction.id)
        detail = {"offering": offering_id, "before": before, "pieces": made}
        audit.record(session, "request_correction", by=by, subject=("correction", correction.id), detail=detail)
        return correction.id


def _refuse_linked(session: Session, offering: Offering) -> None:
    """A batch that was shared out as one with others has no version of its own."""
    linked = select(OrderLine.id).where(OrderLine.offering_id == offering.id, OrderLine.choice.is_not(None)).limit(1)
    run = _published_run(session, offering.pool_id)
    if (offering.rule or run.rule) == TOGETHER_RULE or session.scalar(linked) is not None:
        raise RuleBroken(
            "shared_out_together",
            "This batch was shared out together with its alternatives, so it cannot be shared out anew by itself. "
            "Settle the difference at the hand-over, or with a goodwill entry.",
        )


def carry_out(db: Db, lease: Lease, *, at: datetime, field_key: bytes) -> None:
    """Share out the one batch anew and propose what changes. Repeating it changes nothing."""
    with db() as session:
        asked = session.get_one(Correction, lease.row_id)
        run = session.get_one(AllocationRun, asked.run_id)
        problem = allocated.problem_of_run(session, run, field_key)
        floors = _handed(session, asked.offering_id)
        first, *later = allocated.versions_of(session, run)
        earlier = [one for one in later if one.offering_id == asked.offering_id]
        overrides = allocated.overrides_of(session, first.id)
        chain_start = allocation.chain_end(session, session.get_one(Pool, asked.pool_id).season_id)
        version = BatchVersion(asked.offering_id, len(earlier) + 2, asked.units, floors)
    shared = share_out(problem)
    place = next(n for n, one in enumerate(problem.batches) if one.offering_id == version.offering_id)
    by_hand = changed_by_hand(overrides, problem, shared).get(version.offering_id)
    corrects = (earlier[-1].result_digest if earlier else None) or (by_hand.link if by_hand else shared.links[place])
    made = correct(problem, shared, version, corrects, chain_start or CHAIN_START)
    with db.begin() as session:
        correction = proposals.taken_up(session, lease, Correction, "requested")
        if correction is None:
            return
        claimed, outcome = problem.batches[place], made.outcome
        rows = zip(claimed.line_ids, made.floors, outcome.awards, claimed.batch.requests, strict=True)
        nothing = [None] * len(claimed.line_ids)
        balances = zip(
            outcome.entitlements or nothing, outcome.opening or nothing, outcome.entitled or nothing, strict=True
        )
        copy_rows(
            session,
            "correction_line",
            (
                "correction_id",
                "line_id",
                "floor",
                "pieces",
                "extra",
                "entitled_micro",
                "owed_before_micro",
                "entitled_before_micro",
            ),
            (
                (correction.id, line, floor, pieces, max(0, pieces - wish), *own)
                for (line, floor, pieces, wish), own in zip(rows, balances, strict=True)
            ),
        )
        correction.state, correction.proposed_at = "proposed", at
        correction.chain_start, correction.result_digest = made.chain_start, made.link
        audit.record(
            session, "propose_correction", by=0, subject=("correction", correction.id), detail={"result": made.link}
        )


def publish(db: Db, correction_id: int, *, by: int, at: datetime) -> None:
    """Decide that a proposed correction counts; the worker books it. Raises `not_proposed`."""
    with db.begin() as session:
        correction = _locked(session, correction_id)
        proposals.decide(
            session, correction, jobs.PUBLISH_CORRECTION, "publish_correction", called="a correction", by=by, at=at
        )


def carry_out_publication(db: Db, lease: Lease, *, at: datetime) -> None:
    """Book a correction whole: a new version of the sharing out, only the differences in money and standing, letters."""
    with db.begin() as session:
        correction = proposals.taken_up(session, lease, Correction, "publishing")
        if correction is None:
            return
        pool = session.get_one(Pool, correction.pool_id, with_for_update=True)
        correction.failure = _in_the_way(session, correction, pool)
        if correction.failure:
            correction.state = "failed"
            return
        offering = session.get_one(Offering, correction.offering_id)
        batches.release(session, offering.batch_id, correction.units, by=correction.published_by or 0, at=at)
        correction.new_run_id = versions.supersede(
            session,
            session.get_one(AllocationRun, correction.run_id),
            versions.Corrected(
                offering_id=correction.offering_id,
                units_before=correction.units_before,
                units=correction.units,
                chain_start=correction.chain_start or CHAIN_START,
                result_digest=correction.result_digest or "",
                lines=_lines(session, correction.id),
            ),
            by=correction.published_by or 0,
            at=at,
        )
        correction.state = "published"
        _tell_members(session, correction, pool)


def cancel_correction(db: Db, correction_id: int, *, by: int, reason: str) -> None:
    """Put a correction aside before it is published; it can be asked for again."""
    with db.begin() as session:
        correction = _locked(session, correction_id)
        proposals.put_aside(session, correction, "cancel_correction", called="this correction", by=by, reason=reason)


def fail(session: Session, correction_id: int, why: str) -> None:
    """Mark a correction that its worker had to give up, with the reason in plain words."""
    proposals.give_up(_locked(session, correction_id), why)


def _in_the_way(session: Session, correction: Correction, pool: Pool) -> str | None:
    """Say what happened since the correction was worked out that makes it wrong; hand-overs wait for us from here on."""
    if allocation.hold_chain(session, pool.season_id) != correction.chain_start:
        return "Something else of the season was published meanwhile. Ask for the correction again."
    handed = _handed(session, correction.offering_id)
    if any(handed.get(line.line_id, 0) > line.pieces for line in _lines(session, correction.id)):
        return "Pieces were handed over meanwhile that the correction takes back. Ask for it again."
    return None


def _lines(session: Session, correction_id: int) -> list[CorrectionLine]:
    lines = select(CorrectionLine).where(CorrectionLine.correction_id == correction_id).order_by(CorrectionLine.line_id)
    return list(session.scalars(lines))


def _handed(session: Session, offering_id: int) -> dict[int, int]:
    return {row.id: row.pieces for row in session.execute(text(_HANDED), {"offering": offering_id})}


def _pieces(session: Session, batch_id: int) -> tuple[int, int]:
    """Return what was shared out of a batch, and what its latest report says."""
    row = session.execute(
        text(
            "SELECT (SELECT pieces FROM release WHERE batch_id = :batch ORDER BY version DESC LIMIT 1) AS before,"
            " (SELECT pieces FROM yield_report WHERE batch_id = :batch ORDER BY n DESC LIMIT 1) AS made"
        ),
        {"batch": batch_id},
    ).one()
    return row.before or 0, row.made if row.made is not None else row.before or 0


def _published_run(session: Session, pool_id: int) -> AllocationRun:
    return session.execute(
        select(AllocationRun).where(AllocationRun.pool_id == pool_id, AllocationRun.state == "published")
    ).scalar_one()


def _locked(session: Session, correction_id: int) -> Correction:
    return locked(session, Correction, correction_id, called="correction")


def _tell_members(session: Session, correction: Correction, pool: Pool) -> None:
    """Write to the households whose pieces change, each with what it had and has."""
    for line in session.execute(LINES, {"correction": correction.id}):
        if line.pieces != line.before:
            people.tell_household(
                session,
                f"corrected:{correction.id}:{line.line_id}",
                "allocation_corrected",
                line.household_id,
                {
                    "pool": pool.name,
                    "pool_id": pool.id,
                    "product": line.product,
                    "before": line.before,
                    "pieces": line.pieces,
                    "reason": line.reason,
                },
            )

"""Change an award of a proposed outcome by hand: one person says why, a second one approves, and only then it counts.

Everything here holds the lock of the run, as publishing does. A change belongs to its run: put aside, the run takes its
changes along, and the next one starts without. A corrected yield shares its batch out by the rule again.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.allocation.models import AllocationRun, AwardOverride
from coop.audit import service as audit
from coop.core.claims import TOGETHER_RULE, Outcome, Standing
from coop.core.errors import NotFound, RuleBroken
from coop.core.override_record import Change, OverriddenBatch, check_given, digest_of_reason, overridden
from coop.core.sharing import share_out_batch
from coop.db import Db, bigints, locked
from coop.frozen.queries import SharedBatch, shared_batches
from coop.versions import service as versions

MOST_OF_REASON = 300


def override(
    db: Db, run_id: int, line_id: int, *, pieces: int, reason: str, by: int, at: datetime, field_key: bytes
) -> int:
    """Propose other pieces for one line of a proposed run, and return the id of that change.

    Raises `not_proposed`, `reason_missing`, `own_line`, `override_waits`, `nothing_changed`, `stands_together` and what
    `check_given` raises.
    """
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why: the member reads it beside the pieces.", field="reason")
    with db.begin() as session:
        run = _proposed(session, run_id)
        offering_id = _offering_of(session, run, line_id)
        _refuse_own(session, line_id, by)
        known = _live(session, run.id)
        if any(one.line_id == line_id and one.state == "waiting" for one in known):
            raise RuleBroken("override_waits", "A change of this line waits already. Let somebody decide on it first.")
        shared = _batch(session, run, offering_id, field_key)
        computed = _computed(shared)
        place = shared.place_of(line_id)
        now = next((one.pieces for one in known if one.line_id == line_id), computed.awards[place])
        if pieces == now:
            raise RuleBroken("nothing_changed", f"The line has {now} pieces already.", field="pieces")
        given = _given(shared, [one for one in known if one.offering_id == offering_id])
        _check(shared, computed, given | {shared.way.batch.ids[place]: pieces})
        made = AwardOverride(
            run_id=run.id,
            offering_id=offering_id,
            line_id=line_id,
            computed=computed.awards[place],
            pieces=pieces,
            reason=reason.strip()[:MOST_OF_REASON],
            made_by=by,
            made_at=at,
        )
        session.add(made)
        run.overrides_waiting += 1
        session.flush()
        _record(session, "override_award", made, by=by)
        return made.id


def approve(db: Db, override_id: int, *, by: int, at: datetime, field_key: bytes) -> None:
    """Let a change count. Raises `second_person`, `own_line`, `not_waiting`, `not_proposed` and `over_allocated`."""
    with db.begin() as session:
        run, made = _waiting(session, override_id, by)
        earlier = [one for one in _live(session, run.id) if one.state == "approved"]
        for one in earlier:
            if one.line_id == made.line_id:
                one.state = "replaced"
        session.flush()
        _decide(session, run, made, "approved", by=by, at=at)
        _apply(session, run, made.offering_id, field_key)


def refuse(db: Db, override_id: int, *, by: int, at: datetime) -> None:
    """Let a change fall; who made it may take it back so. Raises `not_waiting`, `own_line` and `not_proposed`."""
    with db.begin() as session:
        run, made = _waiting(session, override_id, by, may_be_own=True)
        _decide(session, run, made, "refused", by=by, at=at)


def _decide(session: Session, run: AllocationRun, made: AwardOverride, state: str, *, by: int, at: datetime) -> None:
    made.state, made.decided_by, made.decided_at = state, by, at
    run.overrides_waiting -= 1
    session.flush()
    _record(session, "approve_override" if state == "approved" else "refuse_override", made, by=by)


def _record(session: Session, act: str, made: AwardOverride, *, by: int) -> None:
    detail = {"override": made.id, "line": made.line_id, "computed": made.computed, "pieces": made.pieces}
    audit.record(session, act, by=by, subject=("allocation_run", made.run_id), detail=detail | {"reason": made.reason})


def _proposed(session: Session, run_id: int) -> AllocationRun:
    run = locked(session, AllocationRun, run_id, called="allocation run")
    if run.state != "proposed":
        raise RuleBroken("not_proposed", "Awards can be changed by hand while an outcome is ready, but not published.")
    return run


def _waiting(
    session: Session, override_id: int, by: int, *, may_be_own: bool = False
) -> tuple[AllocationRun, AwardOverride]:
    made = session.get(AwardOverride, override_id)
    if made is None:
        raise NotFound("There is no such change.")
    run = _proposed(session, made.run_id)
    session.refresh(made)
    if made.state != "waiting":
        raise RuleBroken("not_waiting", "Somebody has decided on this change already.")
    if made.made_by == by and not may_be_own:
        raise RuleBroken("second_person", "A second person approves: not the one who made this change.")
    _refuse_own(session, made.line_id, by)
    return run, made


def _refuse_own(session: Session, line_id: int, by: int) -> None:
    belongs = text(
        "SELECT EXISTS (SELECT FROM order_line l JOIN household_order o ON o.id = l.order_id"
        " JOIN belonging b ON b.household_id = o.household_id AND b.ended_at IS NULL"
        " WHERE l.id = :line AND b.person_id = :person)"
    )
    if session.scalar(belongs, {"line": line_id, "person": by}):
        raise RuleBroken("own_line", "This is your own household's line, so somebody else decides on it.")


def _offering_of(session: Session, run: AllocationRun, line_id: int) -> int:
    awarded = text("SELECT offering_id FROM award WHERE run_id = :run AND line_id = :line")
    found = session.scalar(awarded, {"run": run.id, "line": line_id})
    if found is None:
        raise NotFound("This line is not in the outcome.")
    return int(found)


def _live(session: Session, run_id: int) -> list[AwardOverride]:
    live = select(AwardOverride).where(AwardOverride.run_id == run_id, AwardOverride.state.in_(("waiting", "approved")))
    return list(session.scalars(live.order_by(AwardOverride.state, AwardOverride.id)))


def _batch(session: Session, run: AllocationRun, offering_id: int, field_key: bytes) -> SharedBatch:
    shared = shared_batches(session, run.id, [offering_id], field_key=field_key)[offering_id]
    if shared.way.batch.rule == TOGETHER_RULE:
        raise RuleBroken("stands_together", "Batches shared out together cannot be changed one by one.")
    return shared


def _computed(shared: SharedBatch) -> Outcome:
    """Work out what the rule gives, whatever was changed by hand since."""
    way = shared.way
    standing = Standing(
        dict(zip(way.batch.ids, way.outcome.opening, strict=False)),
        dict(zip(way.batch.ids, way.outcome.entitled, strict=False)),
    )
    return share_out_batch(way.batch, standing, way.terms, way.seed)


def _given(shared: SharedBatch, changes: list[AwardOverride]) -> dict[str, int]:
    """Give the changed pieces by claim; of a line that was changed twice, those that wait."""
    ordered = sorted(changes, key=lambda one: one.state == "waiting")
    return {shared.way.batch.ids[shared.place_of(one.line_id)]: one.pieces for one in ordered}


def _check(shared: SharedBatch, computed: Outcome, given: Mapping[str, int]) -> None:
    batch = shared.way.batch
    awards = [given.get(claim, award) for claim, award in zip(batch.ids, computed.awards, strict=True)]
    check_given(batch, awards, given)


_SET = text("""
UPDATE award a SET pieces = n.pieces, extra = n.extra, entitled_micro = n.micro
  FROM unnest(CAST(:lines AS bigint[]), CAST(:pieces AS bigint[]), CAST(:extras AS bigint[]), CAST(:micro AS bigint[]))
       AS n (line, pieces, extra, micro)
 WHERE a.run_id = :run AND a.offering_id = :offering AND a.line_id = n.line
""")


def _apply(session: Session, run: AllocationRun, offering_id: int, field_key: bytes) -> None:
    """Let the awards of a batch be what was approved, and the record of the run end with what was changed by hand."""
    approved = [one for one in _live(session, run.id) if one.state == "approved"]
    touched = sorted({one.offering_id for one in approved} | {offering_id})
    batches = shared_batches(session, run.id, touched, field_key=field_key)
    run.computed_digest = run.computed_digest or run.result_digest
    assert run.computed_digest is not None
    link = run.computed_digest
    for number, shared in sorted(batches.items(), key=lambda one: one[1].way.batch.id.encode()):
        way, own = shared.way, [one for one in approved if one.offering_id == number]
        computed = _computed(shared)
        changes = {
            way.batch.ids[shared.place_of(one.line_id)]: Change(one.computed, one.pieces, digest_of_reason(one.reason))
            for one in own
            if one.pieces != one.computed
        }
        given = {claim: change.given for claim, change in changes.items()}
        outcome = overridden(way.batch, computed, given, way.terms, way.seed, share_out_batch)
        if changes:
            link = OverriddenBatch(way.terms, way.seed, link, way.batch, changes, outcome).link
        if number == offering_id:
            _write(session, run.id, number, shared, outcome)
    run.result_digest = link
    run.figures = (run.figures or {}) | versions.measured(session, run.id)


def _write(session: Session, run_id: int, offering_id: int, shared: SharedBatch, outcome: Outcome) -> None:
    extras = [max(0, award - wish) for award, wish in zip(outcome.awards, shared.way.batch.requests, strict=True)]
    micro: list[int | None] = [*outcome.entitlements] or [None] * len(extras)
    columns = {"lines": bigints(shared.line_ids), "pieces": bigints(outcome.awards), "extras": bigints(extras)}
    written = "{" + ",".join("NULL" if one is None else str(one) for one in micro) + "}"
    session.execute(_SET, columns | {"micro": written, "run": run_id, "offering": offering_id})

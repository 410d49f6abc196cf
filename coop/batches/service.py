"""Plan a batch, report what came out of it, and release what may be shared out."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from psycopg.errors import CheckViolation
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.batches.models import Batch, Release, YieldReport
from coop.catalog.models import Product
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import local_day
from coop.db import Db, bigints, copy_rows, take_ids
from coop.policy import service as policy

MOST_PIECES = 1_000_000
"""The most pieces one batch may be said to have; beyond it a number was mistyped."""


def plan_batch(
    session: Session, product_id: int, *, lot_number: str, planned: int, pessimistic: int | None = None
) -> int:
    """Plan a making under its lot number. Raises `lot_taken`, `out_of_range` and `pessimistic_above_planned`.

    `pessimistic` is what to expect if it goes badly, for the members' forecasts.
    """
    _whole(planned, field="planned")
    if pessimistic is not None:
        _whole(pessimistic, field="pessimistic")
        if pessimistic > planned:
            said = f"If it goes badly there will be no more than the {planned:,} you plan."
            raise RuleBroken("pessimistic_above_planned", said, field="pessimistic")
    if session.scalar(select(Batch.id).where(Batch.lot_number == lot_number)) is not None:
        raise RuleBroken("lot_taken", f"There is already a batch with the lot number {lot_number}.", field="lot_number")
    batch = Batch(product_id=product_id, lot_number=lot_number, planned=planned, pessimistic=pessimistic)
    session.add(batch)
    session.flush()
    return batch.id


def report_yield(
    db: Db,
    batch_id: int,
    *,
    pieces: int,
    broken: int = 0,
    made_on: date | None = None,
    best_before: date | None = None,
    reason: str | None = None,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Say what came out of a batch; a second report is a correction and says why. The latest counts.

    What is released stays as it is, so a correction after sharing out is kept for an admin to act on.
    Raises `reason_missing`, `below_delivered`, `out_of_range`, `future_date` and `best_before_made`.
    """
    with db.begin() as session:
        body = {"act": "report_yield", "batch": batch_id, "pieces": pieces, "broken": broken, "made_on": made_on}
        body |= {"best_before": best_before, "reason": reason}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        _locked(session, batch_id)
        _whole(pieces, field="pieces")
        _whole(broken, field="broken")
        _refuse_wrong_days(session, made_on, best_before, at)
        n = 1 + len(session.scalars(select(YieldReport.id).where(YieldReport.batch_id == batch_id)).all())
        reason = (reason or "").strip() or None
        if n > 1 and reason is None:
            raise RuleBroken("reason_missing", "Please say in a few words why the number changes.", field="reason")
        report = YieldReport(
            batch_id=batch_id,
            n=n,
            pieces=pieces,
            broken=broken,
            made_on=made_on,
            best_before=best_before,
            reason=reason,
            reported_by=by,
            reported_at=at,
        )
        _write(session, report)
        detail = {"n": n, "pieces": pieces, "broken": broken, "reason": reason}
        audit.record(session, "report_yield", by=by, subject=("batch", batch_id), detail=detail)
        keys.answer(session, by=by, key=key, row_id=report.id)
        return report.id


def release(session: Session, batch_id: int, pieces: int, *, by: int, at: datetime) -> int:
    """Accept so many pieces of a batch for sharing out, and return the version of this release."""
    _locked(session, batch_id)
    _whole(pieces, field="pieces")
    latest = session.scalar(
        select(Release.version).where(Release.batch_id == batch_id).order_by(Release.version.desc()).limit(1)
    )
    version = (latest or 0) + 1
    session.add(Release(batch_id=batch_id, version=version, pieces=pieces, released_by=by, released_at=at))
    session.flush()
    audit.record(session, "release", by=by, subject=("batch", batch_id), detail={"version": version, "pieces": pieces})
    return version


class Released(NamedTuple):
    """How many new releases were written, and of how many of the batches no yield is reported yet."""

    written: int
    missing: int


def release_latest(session: Session, batch_ids: Sequence[int], *, by: int, at: datetime) -> Released:
    """Release the latest report of each batch in one statement, 0 where none came in; batches released at that already are left."""
    released = session.execute(_RELEASE_LATEST, {"ids": bigints(batch_ids), "by": by, "at": at}).one()
    return Released(released.written, released.missing)


_RELEASE_LATEST = text("""
WITH latest AS MATERIALIZED (
  SELECT w.id, y.pieces
    FROM unnest(CAST(:ids AS bigint[])) AS w (id)
    LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = w.id ORDER BY n DESC LIMIT 1) y ON true),
written AS (
  INSERT INTO release (batch_id, version, pieces, released_by, released_at)
  SELECT l.id, coalesce(r.version, 0) + 1, coalesce(l.pieces, 0), :by, :at
    FROM latest l
    LEFT JOIN LATERAL (SELECT version, pieces FROM release WHERE batch_id = l.id ORDER BY version DESC LIMIT 1) r ON true
   WHERE r.pieces IS DISTINCT FROM coalesce(l.pieces, 0)
  RETURNING 1)
SELECT (SELECT count(*) FROM written) AS written, count(*) FILTER (WHERE pieces IS NULL) AS missing FROM latest
""")


def latest_yields(session: Session, batch_ids: Sequence[int]) -> dict[int, int]:
    """Return the latest reported pieces by batch; a batch without a report is left out."""
    rows = session.execute(
        select(YieldReport.batch_id, YieldReport.pieces)
        .ext(distinct_on(YieldReport.batch_id))
        .where(YieldReport.batch_id.in_(batch_ids))
        .order_by(YieldReport.batch_id, YieldReport.n.desc())
    )
    return {row.batch_id: row.pieces for row in rows}


def schedule_batch(
    db: Db,
    product_id: int,
    *,
    lot_number: str,
    planned: int,
    pessimistic: int | None = None,
    by: int,
    key: str,
    artisan_id: int | None = None,
) -> int:
    """Plan a batch of a product; with `artisan_id` the product must be that workshop's own."""
    with db.begin() as session:
        body = {"act": "schedule_batch", "product": product_id, "lot": lot_number, "planned": planned}
        body |= {"pessimistic": pessimistic}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        maker = session.scalar(select(Product.artisan_id).where(Product.id == product_id))
        if maker is None or artisan_id not in {None, maker}:
            raise NotFound("We could not find this product.")
        batch_id = plan_batch(session, product_id, lot_number=lot_number, planned=planned, pessimistic=pessimistic)
        audit.record(session, "schedule_batch", by=by, subject=("batch", batch_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=batch_id)
        return batch_id


def start_batch(db: Db, batch_id: int, *, by: int, at: datetime) -> None:
    """Say that the making has begun; saying it twice changes nothing."""
    with db.begin() as session:
        batch = _locked(session, batch_id)
        if batch.started_at is None:
            batch.started_at = at
            audit.record(session, "start_batch", by=by, subject=("batch", batch_id))


def tell_story(db: Db, batch_id: int, *, story: str, by: int) -> None:
    """Write what members read about a batch."""
    with db.begin() as session:
        batch = _locked(session, batch_id)
        audit.record(session, "tell_story", by=by, subject=("batch", batch_id), detail={"before": batch.story})
        batch.story = story


def _locked(session: Session, batch_id: int) -> Batch:
    batch = session.scalar(select(Batch).where(Batch.id == batch_id).with_for_update())
    if batch is None:
        raise NotFound("We could not find this batch.")
    return batch


def _whole(pieces: int, *, field: str) -> None:
    if not 0 <= pieces <= MOST_PIECES:
        raise RuleBroken("out_of_range", f"Please give a whole number from 0 to {MOST_PIECES:,}.", field=field)


def _refuse_wrong_days(session: Session, made_on: date | None, best_before: date | None, at: datetime) -> None:
    if made_on is not None and made_on > local_day(at, policy.current(session, "zone", at=at)):
        raise RuleBroken(
            "future_date", "A batch is reported once it is made; this day is still to come.", field="made_on"
        )
    if made_on is not None and best_before is not None and best_before < made_on:
        raise RuleBroken("best_before_made", "Best before comes after the day it was made.", field="best_before")


def _write(session: Session, report: YieldReport) -> None:
    """Write the report; the database refuses one below what was handed over, which stands higher on the stair."""
    session.add(report)
    try:
        session.flush()
    except IntegrityError as error:
        cause = error.orig
        if not isinstance(cause, CheckViolation) or cause.diag.constraint_name != "yield_covers_hand_overs":
            raise
        raise RuleBroken(
            "below_delivered",
            f"{cause.diag.message_detail} pieces of this batch are handed over already; the number cannot be lower.",
            field="pieces",
        ) from error


class NewBatch(NamedTuple):
    """A batch brought in from files, made already: planned as what it yielded."""

    product_id: int
    lot_number: str
    pieces: int
    reported_at: datetime


def bring_in_batches(session: Session, made: Sequence[NewBatch], *, planned_at: datetime, by: int) -> Sequence[int]:
    """Write many batches, each with its one report; return their ids in the same order."""
    ids = take_ids(session, "batch", len(made))
    numbered = list(zip(ids, made, strict=True))
    columns = ("id", "product_id", "lot_number", "planned", "planned_at")
    copy_rows(session, "batch", columns, ((i, b.product_id, b.lot_number, b.pieces, planned_at) for i, b in numbered))
    columns = ("batch_id", "n", "pieces", "reported_by", "reported_at")
    copy_rows(session, "yield_report", columns, ((i, 1, b.pieces, by, b.reported_at) for i, b in numbered))
    return ids

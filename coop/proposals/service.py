"""The steps of what a worker proposes: asked for, worked out, published by a person and booked, or put aside."""

from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from coop import jobs
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.jobs import Lease


class Proposal(Protocol):
    """What the steps need of a row: requested -> proposed -> publishing -> published; or failed, cancelled."""

    __tablename__: str
    id: int
    state: str
    failure: str | None
    published_by: int | None
    published_at: datetime | None


P = TypeVar("P", bound=Proposal)


def taken_up(session: Session, lease: Lease, kind: type[P], state: str) -> P | None:
    """Finish the job in the transaction that does it, and hold its row; None where it is not in this state any more."""
    jobs.finish(session, lease)
    row = session.get_one(kind, lease.row_id, with_for_update=True)
    return row if row.state == state else None


def decide(session: Session, row: Proposal, job: str, act: str, *, called: str, by: int, at: datetime) -> None:
    """Let what was proposed count: the worker books it. Repeating it changes nothing. Raises `not_proposed`."""
    if row.state in {"publishing", "published"}:
        return
    if row.state != "proposed":
        raise RuleBroken("not_proposed", f"Only {called} that has been worked out can be published.")
    row.state, row.published_by, row.published_at = "publishing", by, at
    jobs.request(session, job, row.id)
    audit.record(session, act, by=by, subject=(row.__tablename__, row.id))


def put_aside(session: Session, row: Proposal, act: str, *, called: str, by: int, reason: str) -> None:
    """Put a row aside that is not published yet, with the reason. Raises `reason_missing` or `too_late`."""
    if not reason.strip():
        raise RuleBroken("reason_missing", f"Say why {called} is put aside.", field="reason")
    if row.state == "cancelled":
        return
    if row.state in {"publishing", "published", "superseded"}:
        raise RuleBroken("too_late", f"{called.capitalize()} is published, so it can no longer be put aside.")
    row.state = "cancelled"
    audit.record(session, act, by=by, subject=(row.__tablename__, row.id), detail={"reason": reason.strip()})


def give_up(row: Proposal, why: str) -> None:
    """Mark what a worker was at and had to give up, with the reason in plain words."""
    if row.state in {"requested", "publishing"}:
        row.state, row.failure = "failed", why

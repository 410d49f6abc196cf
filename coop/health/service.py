"""Act on what the health page shows: check again, try a dead job again, or put it aside."""

from sqlalchemy.orm import Session

from coop import jobs
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.db import Db
from coop.health import queries
from coop.health.queries import JobRow


def ask_for_check(db: Db, *, by: int, key: str) -> None:
    """Ask the worker to check the books now; asked twice with one key it is asked once."""
    with db.begin() as session:
        jobs.request(session, jobs.CHECK_BOOKS, 0, dedup=key)
        audit.record(session, "ask_for_check", by=by, subject=("books", 0))


def try_again(db: Db, job_id: int, *, by: int) -> None:
    """Give a dead job a fresh start. Raises `ask_anew` where its run was marked failed."""
    with db.begin() as session:
        job = queries.dead_job(session, job_id)
        if not job.may_retry:
            raise RuleBroken(
                "ask_anew", "Its run was marked as failed. Ask for it anew on its own page, and put this job aside."
            )
        jobs.revive(session, job.job, job.row_id)
        _record(session, "try_job_again", job, by=by)


def put_aside(db: Db, job_id: int, *, by: int, reason: str) -> None:
    """Say that somebody looked at a dead job and it need not be done any more; the reason is kept."""
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why this need not be done any more.", field="reason")
    with db.begin() as session:
        job = queries.dead_job(session, job_id)
        jobs.set_aside(session, job_id)
        _record(session, "put_job_aside", job, by=by, reason=reason.strip())


def _record(session: Session, act: str, job: JobRow, *, by: int, reason: str = "") -> None:
    detail = {"job": job.job, "row": job.row_id, "error": job.last_error, "reason": reason}
    audit.record(session, act, by=by, subject=("outbox", job.id), detail=detail)

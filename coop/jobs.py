"""The one outbox: a job is a row written with the fact that asks for it; the message is only the doorbell.

A row is rung after commit and again by the sweep until it is done, so zero, one or many rings have one effect.
Each take of a row raises its epoch; whoever works on an older epoch is fenced off when it comes to write.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import Index, Integer, event, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.db import Base, Db, Identity, Instant

log = logging.getLogger(__name__)

COMPUTE_ALLOCATION = "allocation.compute"
PUBLISH_ALLOCATION = "allocation.publish"
COMPUTE_PAYOUTS = "payouts.compute"
DELIVER_NOTICE = "notices.deliver"
CLOSE_POOLS = "orders.close_pools"
SEAL_AUDIT = "audit.seal"
CHECK_BOOKS = "books.check"
SWEEP = "jobs.sweep"

MOST_ATTEMPTS = 10
LEASE = timedelta(seconds=60)
QUIET_AFTER_RING = timedelta(seconds=10)


class Outbox(Base):
    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "next_at", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),)

    id: Mapped[Identity]
    job: Mapped[str]
    row_id: Mapped[int] = mapped_column(comment="the row that the job is about")
    dedup_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    next_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"), comment="not rung again before")
    attempts: Mapped[int] = mapped_column(
        Integer, server_default="0", comment="counted before the work, so a killer counts too"
    )
    lease_until: Mapped[Instant | None]
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    done_at: Mapped[Instant | None]
    dead_at: Mapped[Instant | None]
    last_error: Mapped[str | None]


class Heartbeat(Base):
    """When a worker or the timetable was last known to be alive."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[Instant]


class Fenced(Exception):  # noqa: N818 - it names what happened
    """Another worker took the job over; what this one computed must not be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    outbox_id: int
    job: str
    row_id: int
    epoch: int
    attempts: int


def request(session: Session, job: str, row_id: int, *, dedup: str = "") -> int:
    """Write the job's outbox row in the caller's transaction; asking twice for the same is asking once."""
    key = f"{job}:{row_id}" + (f":{dedup}" if dedup else "")
    outbox_id: int = session.execute(
        text(
            "INSERT INTO outbox (job, row_id, dedup_key) VALUES (:job, :row, :key)"
            " ON CONFLICT (dedup_key) DO UPDATE SET dedup_key = excluded.dedup_key RETURNING id"
        ),
        {"job": job, "row": row_id, "key": key},
    ).scalar_one()
    session.info.setdefault("rings", []).append((job, outbox_id))
    return outbox_id


def wire(db: Db, redis_url: str) -> Db:
    """Let sessions ring, once, for what they requested, after their real commit; a rollback forgets it."""

    def ring_after_commit(session: Session) -> None:
        if session.get_nested_transaction() is None:
            for job, outbox_id in session.info.pop("rings", []):
                ring(redis_url, job, outbox_id)

    def forget(session: Session) -> None:
        if session.get_nested_transaction() is None:
            session.info.pop("rings", None)

    event.listen(db, "after_commit", ring_after_commit)
    event.listen(db, "after_rollback", forget)
    return db


@cache
def _bell(redis_url: str) -> Celery:
    app = Celery("smallbatch-bell", broker=redis_url)
    app.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.05, "interval_max": 0.05},
        broker_transport_options={"socket_connect_timeout": 0.5, "socket_timeout": 2},
    )
    return app


def ring(redis_url: str, job: str, outbox_id: int) -> None:
    """Wake a worker for a committed row. A deaf broker costs delay only: the sweep rings again."""
    try:
        _bell(redis_url).send_task(job, args=[outbox_id])
    except (OperationalError, RedisError, OSError) as error:
        log.warning("ring job=%s outbox=%s failed=%s", job, outbox_id, type(error).__name__)


def take(db: Db, outbox_id: int) -> Lease | None:
    """Take the row for this worker, or return None where it is done, dead, leased or unknown."""
    with db.begin() as session:
        row = session.execute(
            text(
                "UPDATE outbox SET epoch = epoch + 1, attempts = attempts + 1,"
                " lease_until = clock_timestamp() + :lease, next_at = clock_timestamp() + :lease"
                " WHERE id = (SELECT id FROM outbox WHERE id = :id AND done_at IS NULL AND dead_at IS NULL"
                "   AND (lease_until IS NULL OR lease_until < clock_timestamp()) FOR UPDATE SKIP LOCKED)"
                " RETURNING id, job, row_id, epoch, attempts"
            ),
            {"id": outbox_id, "lease": LEASE},
        ).first()
        if row is None:
            return None
        if row.attempts > MOST_ATTEMPTS:
            _bury(session, row.id, "gave up after too many attempts")
            return None
        return Lease(row.id, row.job, row.row_id, row.epoch, row.attempts)


def still_ours(session: Session, lease: Lease) -> None:
    """Hold the row until commit and prolong the lease; raise Fenced where somebody else took it meanwhile."""
    held = session.execute(
        text(
            "UPDATE outbox SET lease_until = clock_timestamp() + :lease, next_at = clock_timestamp() + :lease"
            " WHERE id = :id AND epoch = :epoch AND done_at IS NULL AND dead_at IS NULL RETURNING id"
        ),
        {"id": lease.outbox_id, "epoch": lease.epoch, "lease": LEASE},
    ).first()
    if held is None:
        raise Fenced(f"{lease.job} {lease.row_id}: epoch {lease.epoch} is over")


def finish(session: Session, lease: Lease) -> None:
    """Mark the job done in the transaction that writes its effect."""
    still_ours(session, lease)
    session.execute(
        text("UPDATE outbox SET done_at = clock_timestamp(), lease_until = NULL WHERE id = :id"),
        {"id": lease.outbox_id},
    )


def put_back(db: Db, lease: Lease, *, why: str, wait: timedelta, spend_attempt: bool = True) -> None:
    """Give the row back to be tried again after `wait`."""
    with db.begin() as session:
        session.execute(
            text(
                "UPDATE outbox SET lease_until = NULL, next_at = clock_timestamp() + :wait, last_error = :why,"
                " attempts = attempts - :refund WHERE id = :id AND epoch = :epoch AND done_at IS NULL"
            ),
            {
                "id": lease.outbox_id,
                "epoch": lease.epoch,
                "wait": wait,
                "why": why,
                "refund": 0 if spend_attempt else 1,
            },
        )


def give_up(db: Db, lease: Lease, *, why: str) -> None:
    """Declare the job dead: a person has to look."""
    with db.begin() as session:
        still_ours(session, lease)
        _bury(session, lease.outbox_id, why)


def _bury(session: Session, outbox_id: int, why: str) -> None:
    session.execute(
        text("UPDATE outbox SET dead_at = clock_timestamp(), lease_until = NULL, last_error = :why WHERE id = :id"),
        {"id": outbox_id, "why": why},
    )


def due(db: Db, *, limit: int = 200) -> list[tuple[int, str]]:
    """Return (id, job) of rows to be rung again, and keep them quiet for a moment so that sweeps do not flood."""
    with db.begin() as session:
        rows = session.execute(
            text(
                "UPDATE outbox SET next_at = clock_timestamp() + :quiet WHERE id IN ("
                " SELECT id FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= clock_timestamp()"
                "  AND (lease_until IS NULL OR lease_until < clock_timestamp())"
                " ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, job"
            ),
            {"quiet": QUIET_AFTER_RING, "limit": limit},
        ).all()
    return [(row.id, row.job) for row in rows]


def beat(db: Db, name: str) -> None:
    """Say that `name` is alive."""
    with db.begin() as session:
        session.execute(
            text(
                "INSERT INTO heartbeat (name, beat_at) VALUES (:name, clock_timestamp())"
                " ON CONFLICT (name) DO UPDATE SET beat_at = clock_timestamp()"
            ),
            {"name": name},
        )


def state_of(session: Session, job: str, row_id: int) -> Any:
    """Return attempts, next_at, done_at, dead_at and last_error of a job, or None."""
    return session.execute(
        text(
            "SELECT attempts, next_at, done_at, dead_at, last_error FROM outbox WHERE job = :job AND row_id = :row"
            " ORDER BY id DESC LIMIT 1"
        ),
        {"job": job, "row": row_id},
    ).first()

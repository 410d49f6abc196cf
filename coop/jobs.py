"""The one outbox: a job is a row written with the fact that asks for it; the message is only the doorbell.

A row is rung after commit and again by the sweep until it is done, so zero, one or many rings have one effect.
Each take of a row raises its epoch; whoever works on an older epoch is fenced off when it comes to write.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, Integer, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.db import Base, Db, Identity, Instant
from coop.failpoints import reach, reach_at_commit

COMPUTE_ALLOCATION = "allocation.compute"
PUBLISH_ALLOCATION = "allocation.publish"
COMPUTE_CORRECTION = "corrections.compute"
PUBLISH_CORRECTION = "corrections.publish"
COMPUTE_FAIRNESS = "fairness.compute"
COMPUTE_PAYOUTS = "payouts.compute"
HAND_IN_PAYOUTS = "payouts.hand_in"
APPLY_RECIPES = "recipes.apply"
WRITE_STATEMENTS = "payouts.papers"
ISSUE_DOCUMENTS = "documents.issue"
WRITE_DOCUMENT = "documents.paper"
DELIVER_NOTICE = "notices.deliver"
CLOSE_POOLS = "pools.close_due"
RELEASE_INSTALMENTS = "seasons.release_instalments"
REMIND_INSTALMENTS = "monthly.remind"
SEAL_AUDIT = "audit.seal"
CHECK_BOOKS = "books.check"
PURGE = "jobs.purge"
SWEEP = "jobs.sweep"

DONE_CHANNEL = "coop_jobs_done"
"""Who waits for a job listens here."""

LEASE = timedelta(seconds=10)
"""How long a silent worker keeps a job. One at work prolongs it; while it writes, its lock on the row stands in."""

FIRST_SWEEP = timedelta(seconds=2)
"""After the request: by then the bell has been answered, unless it was not heard."""

QUIET_AFTER_RING = timedelta(seconds=10)
KEPT_WHEN_DONE = timedelta(days=30)


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
    lost: Mapped[int] = mapped_column(Integer, server_default="0", comment="times its worker vanished in the work")
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


class NotYet(Exception):  # noqa: N818 - it names what happened
    """Something else has to be done first, and is under way; the job is tried again a little later."""


@dataclass(frozen=True, slots=True)
class Lease:
    outbox_id: int
    job: str
    row_id: int
    epoch: int
    attempts: int
    lost: int
    age: timedelta
    at: datetime
    """When it was taken, by the database's clock: a worker's own may be wrong."""

    @property
    def reference(self) -> str:
        """The name of this very attempt, the same in the log and on the page of the run."""
        return f"{self.outbox_id}.{self.epoch}"


def request(session: Session, job: str, row_id: int, *, dedup: str = "") -> int:
    """Write the job's outbox row in the caller's transaction; asking twice for the same is asking once."""
    key = f"{job}:{row_id}" + (f":{dedup}" if dedup else "")
    outbox_id: int = session.execute(
        text(
            "INSERT INTO outbox (job, row_id, dedup_key, next_at) VALUES (:job, :row, :key, clock_timestamp() + :first)"
            " ON CONFLICT (dedup_key) DO UPDATE SET dedup_key = excluded.dedup_key RETURNING id"
        ),
        {"job": job, "row": row_id, "key": key, "first": FIRST_SWEEP},
    ).scalar_one()
    session.info.setdefault("rings", []).append((job, outbox_id))
    return outbox_id


def take(db: Db, outbox_id: int, job: str) -> Lease | None:
    """Take the row for this worker, or return None where it is done, dead, leased, unknown or another job's.

    The attempt is counted here, before the work; a lease found expired counts as a worker lost.
    """
    with db.begin() as session:
        row = session.execute(
            text(
                # a lease lost in a crash is only taken again
                "WITH quickly AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
                " UPDATE outbox SET epoch = epoch + 1, attempts = attempts + 1,"
                " lost = lost + CASE WHEN lease_until IS NULL THEN 0 ELSE 1 END,"
                " lease_until = clock_timestamp() + :lease, next_at = clock_timestamp() + :lease"
                " WHERE id = (SELECT id FROM outbox, quickly WHERE id = :id AND job = :job AND done_at IS NULL AND dead_at IS NULL"
                "   AND (lease_until IS NULL OR lease_until < clock_timestamp()) FOR UPDATE OF outbox SKIP LOCKED)"
                " RETURNING id, job, row_id, epoch, attempts, lost, clock_timestamp() - created_at, clock_timestamp()"
            ),
            {"id": outbox_id, "job": job, "lease": LEASE},
        ).first()
    return None if row is None else Lease(*row)


def prolong(db: Db, lease: Lease) -> bool:
    """Keep the lease while the work goes on; say whether it is still ours. A row locked by its writer needs no lease."""
    with db.begin() as session:
        held = session.execute(
            text(
                "WITH mine AS (SELECT id, lease_until FROM outbox WHERE id = :id AND epoch = :epoch),"
                " free AS (SELECT id FROM outbox WHERE id IN (SELECT id FROM mine) FOR UPDATE SKIP LOCKED),"
                " kept AS (UPDATE outbox SET lease_until = clock_timestamp() + :lease, next_at = clock_timestamp() + :lease"
                "  WHERE id IN (SELECT id FROM free) AND epoch = :epoch AND lease_until IS NOT NULL)"
                " SELECT lease_until IS NOT NULL FROM mine"
            ),
            {"id": lease.outbox_id, "epoch": lease.epoch, "lease": LEASE},
        ).scalar()
    return bool(held)


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
    """Mark the job done in the transaction that writes its effect; raise Fenced where somebody else took it meanwhile."""
    reach(f"{lease.job}@after_compute")
    held = session.execute(
        text(
            "UPDATE outbox SET done_at = clock_timestamp(), lease_until = NULL"
            " WHERE id = :id AND epoch = :epoch AND done_at IS NULL AND dead_at IS NULL RETURNING pg_notify(:channel, :job)"
        ),
        {"id": lease.outbox_id, "epoch": lease.epoch, "channel": DONE_CHANNEL, "job": lease.job},
    ).first()
    if held is None:
        raise Fenced(f"{lease.job} {lease.row_id}: epoch {lease.epoch} is over")
    reach_at_commit(session, f"{lease.job}@before_commit")


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


def bury(session: Session, lease: Lease, *, why: str) -> None:
    """Declare the job dead in the caller's transaction, which marks its subject failed: a person has to look."""
    still_ours(session, lease)
    session.execute(
        text("UPDATE outbox SET dead_at = clock_timestamp(), lease_until = NULL, last_error = :why WHERE id = :id"),
        {"id": lease.outbox_id, "why": why},
    )


def revive(session: Session, job: str, row_id: int) -> None:
    """Give a dead job a fresh start, in the caller's transaction: somebody looked and wants it tried again."""
    revived = session.scalars(
        text(
            "UPDATE outbox SET dead_at = NULL, attempts = 0, lost = 0, created_at = clock_timestamp(), next_at = clock_timestamp()"
            " WHERE job = :job AND row_id = :row AND dead_at IS NOT NULL AND done_at IS NULL RETURNING id"
        ),
        {"job": job, "row": row_id},
    ).all()
    session.info.setdefault("rings", []).extend((job, outbox_id) for outbox_id in revived)


def set_aside(session: Session, outbox_id: int) -> None:
    """Close a dead job that somebody looked at and that need not be done any more; that it died stays written."""
    session.execute(
        text(
            "UPDATE outbox SET done_at = clock_timestamp() WHERE id = :id AND dead_at IS NOT NULL AND done_at IS NULL"
        ),
        {"id": outbox_id},
    )


def tick(session: Session, job: str, every: timedelta) -> int:
    """Request the job for the current slot of its timetable, once however often asked; return how many slots were missed before it.

    Missed slots are reported in the row, not made up for one by one: the one that runs now does their work.
    """
    row = session.execute(
        text(
            "WITH slot AS (SELECT floor(extract(epoch FROM clock_timestamp()) / :seconds)::bigint AS n),"
            " last AS (SELECT max(row_id) AS n FROM outbox WHERE job = :job AND dedup_key LIKE 'tick:%')"
            " INSERT INTO outbox (job, row_id, dedup_key, next_at, last_error)"
            "  SELECT :job, slot.n, 'tick:' || :job || ':' || slot.n, clock_timestamp() + :first,"
            "   CASE WHEN slot.n - last.n > 1 THEN 'missed before this: ' || slot.n - last.n - 1 END"
            "  FROM slot, last WHERE last.n IS NULL OR slot.n > last.n"
            " ON CONFLICT (dedup_key) DO NOTHING RETURNING id, last_error"
        ),
        {"job": job, "seconds": int(every.total_seconds()), "first": FIRST_SWEEP},
    ).first()
    if row is None:
        return 0
    session.info.setdefault("rings", []).append((job, row.id))
    return int(row.last_error.rpartition(" ")[2]) if row.last_error else 0


def due(db: Db, known: Collection[str], *, limit: int = 500) -> list[tuple[str, int]]:
    """Return (job, id) of rows to ring again, and keep them quiet for a while, longer as they grow older.

    Jobs this worker does not know are left for a newer one that does.
    """
    with db.begin() as session:
        rows = session.execute(
            text(
                "UPDATE outbox SET next_at = clock_timestamp() + greatest(:quiet, least(:quiet * 6, (clock_timestamp() - created_at) / 2))"
                " WHERE id IN (SELECT id FROM outbox WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= clock_timestamp()"
                "  AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND job = ANY(:known)"
                " ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING job, id"
            ),
            {"quiet": QUIET_AFTER_RING, "limit": limit, "known": list(known)},
        ).all()
    return [(row.job, row.id) for row in rows]


def purge(db: Db) -> None:
    """Forget jobs done long ago; what is dead stays until somebody looked."""
    with db.begin() as session:
        session.execute(text("DELETE FROM outbox WHERE done_at < clock_timestamp() - :kept"), {"kept": KEPT_WHEN_DONE})


def beat(session: Session, name: str) -> None:
    """Say that `name` is alive; said often, written every few seconds."""
    session.execute(
        text(
            "INSERT INTO heartbeat (name, beat_at) VALUES (:name, clock_timestamp())"
            " ON CONFLICT (name) DO UPDATE SET beat_at = clock_timestamp()"
            " WHERE heartbeat.beat_at < clock_timestamp() - interval '5 seconds'"
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

"""Answer the bell: take the row, do the work, and see to what becomes of it.

A message may come never, late, twice or to eight workers at once; the row decides.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from types import TracebackType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import RuleBroken
from coop.db import Db
from coop.failpoints import reach
from coop.jobs import Fenced, Lease
from workers.celery_app import app, database
from workers.retrying import MOST_LOST, Verdict, judge, sqlstate

log = logging.getLogger(__name__)

PROLONG_EVERY = jobs.LEASE.total_seconds() / 3

Work = Callable[[Db, Lease], object]
Chore = Callable[[Db, datetime], object]
MarkFailed = Callable[[Session, int, str], None]
"""Marks the job's subject failed, in the transaction that declares the job dead: (session, row id, what went wrong)."""


def answers(job: str, *, failed: MarkFailed | None = None) -> Callable[[Work], Work]:
    """Make a command that owns its lease the worker's answer to `job`."""

    def register(work: Work) -> Work:
        def task(outbox_id: int) -> None:
            answer(database(), job, outbox_id, work, failed)

        app.task(task, name=job)
        return work

    return register


def ticks(job: str) -> Callable[[Chore], Chore]:
    """Make a chore of the timetable, harmless to repeat, the worker's answer to `job`."""

    def register(chore: Chore) -> Chore:
        def work(db: Db, lease: Lease) -> None:
            chore(db, lease.at)
            with db.begin() as session:
                jobs.finish(session, lease)

        answers(job)(work)
        return chore

    return register


def answer(db: Db, job: str, outbox_id: int, work: Work, failed: MarkFailed | None = None) -> None:
    """Do one job, from the top, if it is there to be done; whatever happens, its row says what becomes of it."""
    lease = jobs.take(db, outbox_id, job) if type(outbox_id) is int else None  # a forged one may be anything
    if lease is None:
        log.info("job=%s outbox=%s left", job, outbox_id)
        return
    started = time.monotonic()
    with _Attempt(db, lease, failed):
        if lease.lost >= MOST_LOST:
            raise RuleBroken("worker_lost", f"Its worker vanished {lease.lost} times in the middle of it.")
        with _held(db, lease):
            reach(f"{job}@after_lease")
            work(db, lease)
        reach(f"{job}@after_commit")
        took = time.monotonic() - started
        log.info("job=%s row=%s ref=%s took=%.3f done", job, lease.row_id, lease.reference, took)


class _Attempt:
    """One attempt at a job: an error is judged and written into the row. One that nobody foresaw goes on, into the log."""

    def __init__(self, db: Db, lease: Lease, failed: MarkFailed | None) -> None:
        self._db, self._lease, self._failed = db, lease, failed

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is None:
            return False
        lease, verdict = self._lease, judge(error, self._lease)
        if verdict is None:
            log.warning("job=%s row=%s ref=%s %s", lease.job, lease.row_id, lease.reference, type(error).__name__)
            return isinstance(error, Fenced)
        wait = "dead" if verdict.wait is None else f"{verdict.wait.total_seconds():.1f}"
        log.warning("job=%s row=%s ref=%s next=%s %s", lease.job, lease.row_id, lease.reference, wait, verdict.why)
        self._settle(verdict)
        return not verdict.is_surprise

    def _settle(self, verdict: Verdict) -> None:
        """Write the verdict down; where the database itself is away, try for a while and then let the lease run out."""
        for pause in (verdict.pause, 1.0, 5.0, 10.0):
            time.sleep(pause)
            try:
                self._write(verdict)
            except Fenced:
                return
            except DBAPIError as error:
                log.warning(
                    "job=%s ref=%s not settled sqlstate=%s", self._lease.job, self._lease.reference, sqlstate(error)
                )
            else:
                return

    def _write(self, verdict: Verdict) -> None:
        lease = self._lease
        if verdict.wait is not None:
            jobs.put_back(self._db, lease, why=verdict.why, wait=verdict.wait, spend_attempt=verdict.spend_attempt)
            return
        with self._db.begin() as session:
            jobs.bury(session, lease, why=verdict.why)
            if self._failed is not None:
                self._failed(session, lease.row_id, verdict.sentence)


@contextmanager
def _held(db: Db, lease: Lease) -> Iterator[None]:
    """Prolong the lease beside the work, for as long as this process runs: one that is frozen or killed loses it."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(PROLONG_EVERY):
            with suppress(DBAPIError):  # the next round may succeed; else the lease runs out, as it should
                if not jobs.prolong(db, lease):
                    return

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()

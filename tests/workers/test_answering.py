"""What the row says after each way a job can end."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from coop import jobs
from coop.core.errors import RuleBroken
from workers.answering import answer

JOB = jobs.SEAL_AUDIT


class Subject:
    """What the job is about, and whether it was marked failed."""

    def __init__(self) -> None:
        self.failed: list[tuple[int, str]] = []

    def fail(self, session, row_id: int, why: str) -> None:
        session.execute(text("SELECT 1"))
        self.failed.append((row_id, why))


def ask(db) -> int:
    with db.begin() as session:
        return jobs.request(session, JOB, 7)


def row(db):
    with db() as session:
        return session.execute(text("SELECT * FROM outbox")).one()


def finish(db, lease) -> None:
    with db.begin() as session:
        jobs.finish(session, lease)


def raises(error: Exception):
    def work(*_: object) -> None:
        raise error

    return work


def test_a_job_done_is_done_and_doing_it_again_changes_nothing(fresh_db) -> None:
    outbox_id, done = ask(fresh_db), []
    for _ in range(3):
        answer(fresh_db, JOB, outbox_id, lambda db, lease: (done.append(lease.row_id), finish(db, lease)))
    assert done == [7]
    assert row(fresh_db).done_at is not None


def test_a_refusal_is_dead_at_once_and_marks_its_subject(fresh_db) -> None:
    subject = Subject()
    answer(fresh_db, JOB, ask(fresh_db), raises(RuleBroken("too_late", "The pool is closed.")), subject.fail)
    assert row(fresh_db).dead_at is not None
    assert row(fresh_db).last_error == "too_late: The pool is closed."
    assert subject.failed == [(7, "The pool is closed.")]


def test_what_passes_comes_back_later_and_marks_nothing(fresh_db) -> None:
    subject = Subject()
    answer(fresh_db, JOB, ask(fresh_db), raises(psycopg.errors.DeadlockDetected()), subject.fail)
    assert (row(fresh_db).dead_at, row(fresh_db).lease_until, row(fresh_db).attempts) == (None, None, 1)
    assert subject.failed == []


def test_what_nobody_foresaw_reaches_the_log_and_is_dead_the_third_time(fresh_db) -> None:
    subject, outbox_id = Subject(), ask(fresh_db)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            answer(fresh_db, JOB, outbox_id, raises(ZeroDivisionError()), subject.fail)
    assert row(fresh_db).dead_at is not None
    assert subject.failed == [(7, f"Something went wrong that we did not foresee. Its reference is {outbox_id}.3.")]


def test_a_job_that_lost_its_worker_twice_is_dead_before_it_takes_a_third(fresh_db) -> None:
    subject, outbox_id, worked = Subject(), ask(fresh_db), []
    for _ in range(2):
        assert jobs.take(fresh_db, outbox_id, JOB) is not None
        with fresh_db.begin() as session:
            session.execute(text("UPDATE outbox SET lease_until = clock_timestamp() - :past"), {"past": timedelta(1)})
    answer(fresh_db, JOB, outbox_id, lambda *_: worked.append(1), subject.fail)
    assert worked == []
    assert row(fresh_db).dead_at is not None
    assert row(fresh_db).last_error.startswith("worker_lost: ")
    assert subject.failed == [(7, "Its worker vanished 2 times in the middle of it.")]


def test_a_worker_fenced_off_leaves_the_row_to_whoever_has_it(fresh_db) -> None:
    outbox_id = ask(fresh_db)

    def frozen(db, lease) -> None:
        with db.begin() as session:
            session.execute(text("UPDATE outbox SET epoch = epoch + 1"))
        finish(db, lease)

    answer(fresh_db, JOB, outbox_id, frozen)
    assert (row(fresh_db).done_at, row(fresh_db).dead_at, row(fresh_db).epoch) == (None, None, 2)
    assert row(fresh_db).lease_until is not None


@pytest.mark.parametrize("outbox_id", [999, "1", None, [1], True])
def test_a_ring_for_nothing_does_nothing(fresh_db, outbox_id: object) -> None:
    answer(fresh_db, JOB, outbox_id, raises(AssertionError()))

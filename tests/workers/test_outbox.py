"""The outbox: one effect from none, one or many rings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from coop import jobs
from coop.jobs import Fenced

A_MINUTE = timedelta(minutes=1)


def ask(db, job: str = jobs.SEAL_AUDIT, row_id: int = 1) -> int:
    with db.begin() as session:
        return jobs.request(session, job, row_id)


def pass_time(db, column: str = "lease_until", interval: str = "1 hour") -> None:
    with db.begin() as session:
        session.execute(text(f"UPDATE outbox SET {column} = {column} - interval '{interval}'"))


def row(db):
    with db() as session:
        return session.execute(text("SELECT * FROM outbox ORDER BY id DESC LIMIT 1")).one()


def test_asking_twice_for_the_same_is_asking_once(fresh_db) -> None:
    assert ask(fresh_db) == ask(fresh_db)


def test_of_eight_that_take_a_job_at_once_one_has_it(fresh_db) -> None:
    outbox_id = ask(fresh_db)
    with ThreadPoolExecutor(8) as eight:
        leases = list(eight.map(lambda _: jobs.take(fresh_db, outbox_id, jobs.SEAL_AUDIT), range(8)))
    assert [lease.epoch for lease in leases if lease] == [1]


def test_a_job_is_not_taken_under_another_name(fresh_db) -> None:
    assert jobs.take(fresh_db, ask(fresh_db), jobs.DELIVER_NOTICE) is None


def test_a_job_done_is_not_taken_again(fresh_db) -> None:
    lease = jobs.take(fresh_db, ask(fresh_db), jobs.SEAL_AUDIT)
    assert lease is not None
    with fresh_db.begin() as session:
        jobs.finish(session, lease)
    assert jobs.take(fresh_db, lease.outbox_id, jobs.SEAL_AUDIT) is None


def test_who_lost_the_lease_is_fenced_off_when_it_writes(fresh_db) -> None:
    first = jobs.take(fresh_db, ask(fresh_db), jobs.SEAL_AUDIT)
    pass_time(fresh_db)
    second = jobs.take(fresh_db, first.outbox_id, jobs.SEAL_AUDIT)
    assert (second.epoch, second.lost) == (2, 1)
    with pytest.raises(Fenced), fresh_db.begin() as session:
        jobs.finish(session, first)
    assert not jobs.prolong(fresh_db, first)
    assert row(fresh_db).done_at is None
    with fresh_db.begin() as session:
        jobs.finish(session, second)
    assert row(fresh_db).done_at is not None


def test_a_writer_keeps_its_job_by_its_lock_even_past_its_lease(fresh_db) -> None:
    lease = jobs.take(fresh_db, ask(fresh_db), jobs.SEAL_AUDIT)
    pass_time(fresh_db)
    with fresh_db.begin() as session:
        jobs.still_ours(session, lease)
        assert jobs.take(fresh_db, lease.outbox_id, jobs.SEAL_AUDIT) is None
        assert jobs.prolong(fresh_db, lease)
        jobs.finish(session, lease)


def test_putting_back_counts_the_attempt_unless_told_otherwise(fresh_db) -> None:
    outbox_id = ask(fresh_db)
    for attempts, spent in ((1, True), (1, False), (2, True)):
        lease = jobs.take(fresh_db, outbox_id, jobs.SEAL_AUDIT)
        jobs.put_back(fresh_db, lease, why="tried", wait=timedelta(0), spend_attempt=spent)
        assert (row(fresh_db).attempts, row(fresh_db).lost) == (attempts, 0)


def test_a_dead_job_can_be_given_a_fresh_start(fresh_db) -> None:
    lease = jobs.take(fresh_db, ask(fresh_db), jobs.SEAL_AUDIT)
    with fresh_db.begin() as session:
        jobs.bury(session, lease, why="no")
    assert jobs.take(fresh_db, lease.outbox_id, jobs.SEAL_AUDIT) is None
    with fresh_db.begin() as session:
        jobs.revive(session, jobs.SEAL_AUDIT, 1)
    assert jobs.take(fresh_db, lease.outbox_id, jobs.SEAL_AUDIT).attempts == 1


def test_what_nobody_answered_is_rung_again_and_then_left_alone_for_a_while(fresh_db) -> None:
    outbox_id = ask(fresh_db)
    assert jobs.due(fresh_db, [jobs.SEAL_AUDIT]) == []
    pass_time(fresh_db, "next_at")
    assert jobs.due(fresh_db, [jobs.SEAL_AUDIT]) == [(jobs.SEAL_AUDIT, outbox_id)]
    assert jobs.due(fresh_db, [jobs.SEAL_AUDIT]) == []
    pass_time(fresh_db, "next_at")
    assert jobs.due(fresh_db, [jobs.SEAL_AUDIT]) == [(jobs.SEAL_AUDIT, outbox_id)]


def test_a_job_that_this_worker_does_not_know_is_left_for_one_that_does(fresh_db) -> None:
    ask(fresh_db, "weather.forecast")
    pass_time(fresh_db, "next_at")
    assert jobs.due(fresh_db, [jobs.SEAL_AUDIT]) == []
    assert row(fresh_db).dead_at is None


def test_a_slot_is_written_once_by_any_number_of_sweeps(fresh_db) -> None:
    def tick(_: int) -> int:
        with fresh_db.begin() as session:
            return jobs.tick(session, jobs.SEAL_AUDIT, timedelta(days=1000))

    with ThreadPoolExecutor(8) as eight:
        assert sum(eight.map(tick, range(16))) == 0
    with fresh_db() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox WHERE dedup_key LIKE 'tick:audit.seal:%'")) == 1


def test_missed_slots_are_reported_and_not_made_up_for_one_by_one(fresh_db) -> None:
    with fresh_db.begin() as session:
        jobs.tick(session, jobs.SEAL_AUDIT, A_MINUTE)
        session.execute(text("UPDATE outbox SET row_id = row_id - 61, dedup_key = 'tick:audit.seal:' || row_id - 61"))
    with fresh_db.begin() as session:
        missed = jobs.tick(session, jobs.SEAL_AUDIT, A_MINUTE)
    assert missed in {60, 61}  # the minute may turn between the two
    assert row(fresh_db).last_error == f"missed before this: {missed}"
    with fresh_db() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox")) == 2


def test_only_what_was_done_long_ago_is_forgotten(fresh_db) -> None:
    done, _open = ask(fresh_db, row_id=1), ask(fresh_db, row_id=2)
    with fresh_db.begin() as session:
        jobs.finish(session, jobs.take(fresh_db, done, jobs.SEAL_AUDIT))
    jobs.purge(fresh_db)
    pass_time(fresh_db, "done_at", "31 days")
    pass_time(fresh_db, "created_at", "31 days")
    jobs.purge(fresh_db)
    with fresh_db() as session:
        assert session.scalars(text("SELECT id FROM outbox")).all() == [_open]

"""Workers are killed, frozen and started twice in the middle of real runs; each run still happens exactly once."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from coop import bell, jobs
from coop.failpoints import STEPS
from tests.crew import outbox, until


def test_a_child_killed_at_any_step_of_publishing_changes_nothing(town) -> None:
    """Fault matrix F1 and F3: five runs, and at each step of one of them its process is killed."""
    for _ in range(len(STEPS)):
        town.request(town.close_a_pool())
    points = " ".join(f"{jobs.PUBLISH_ALLOCATION}@{step}:kill" for step in STEPS)
    town.crew.worker(with_beat=True, fail=points)
    town.await_state("proposed")
    town.publish()
    town.check_history()
    assert len(re.findall(r"failpoint=.*act=kill", town.crew.log())) == len(STEPS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try the worst step in the short form and each in the long one, for each takes as long as a lease."""
    if "step" in metafunc.fixturenames:
        metafunc.parametrize("step", STEPS if metafunc.config.getoption("--full") else ("before_commit",))


def test_a_child_killed_at_any_step_of_computing_changes_nothing(town, step: str) -> None:
    town.request(town.close_a_pool())
    town.crew.worker(with_beat=True, fail=f"{jobs.COMPUTE_ALLOCATION}@{step}:kill")
    town.await_state("proposed")
    town.publish()
    town.check_history()


def test_a_pool_that_was_asked_for_meanwhile_waits_while_the_booking_before_it_dies_and_is_done_again(town) -> None:
    first = town.close_a_pool()
    second = town.close_a_pool(after=first)
    town.crew.worker(with_beat=True, fail=f"{jobs.PUBLISH_ALLOCATION}@before_commit:kill")
    run = town.request(first)
    town.await_state("proposed")
    town.publish(run)
    later = town.request(second)
    until(lambda: town.states() == {"published", "proposed"}, "the second is worked out after the first is booked")
    town.publish(later)
    town.check_history()
    assert "act=kill" in town.crew.log()


def test_what_a_killed_worker_held_is_finished_by_another_without_the_broker(town) -> None:
    """F2: the whole worker is killed; its message stays with the broker for ten minutes, the row does not wait for it.

    With the leases that workers have.
    """
    town.crew.usual = "workers.celery_app"
    town.request(town.close_a_pool())
    first = town.crew.worker("first", fail=f"{jobs.COMPUTE_ALLOCATION}@after_compute:sleep")
    until(lambda: "failpoint=" in town.crew.log("first"), "the run is being computed")
    town.crew.kill(first)
    town.crew.worker("second", with_beat=True)
    town.await_state("proposed", patience=30)
    town.publish()
    town.check_history()


def test_one_ring_or_twenty_to_eight_children_is_one_run(town) -> None:
    """F4: each message is delivered twenty times to two workers of four."""
    with ThreadPoolExecutor(2) as two:
        list(two.map(lambda name: town.crew.worker(name, concurrency=4, with_beat=name == "left"), ("left", "right")))
    for _ in range(3):
        town.request(town.close_a_pool())
    ring_often(town, jobs.COMPUTE_ALLOCATION)
    town.await_state("proposed")
    town.publish()
    ring_often(town, jobs.PUBLISH_ALLOCATION)
    town.await_rest()
    ring_often(town, jobs.DELIVER_NOTICE)
    town.check_history()


def test_a_message_handed_out_again_during_the_work_finds_it_taken(town) -> None:
    """F5: the broker gives the message out again after three seconds; the work takes twelve, longer than a lease."""
    town.crew.worker(app="tests.impatient", with_beat=True, fail=f"{jobs.COMPUTE_ALLOCATION}@after_lease:sleep")
    town.request(town.close_a_pool())
    town.await_state("proposed")
    assert re.search(rf"job={jobs.COMPUTE_ALLOCATION} outbox=\d+ left", town.crew.log())
    (row,) = outbox(town.db, jobs.COMPUTE_ALLOCATION)
    assert (row.epoch, row.attempts, row.lost) == (1, 1, 0)
    town.publish()
    town.check_history()


def test_a_worker_frozen_past_its_lease_is_fenced_off_when_it_wakes(town) -> None:
    """F6: it has computed and is about to write; meanwhile another does the work."""
    town.request(town.close_a_pool())
    frozen = town.crew.worker("frozen", concurrency=1, fail=f"{jobs.COMPUTE_ALLOCATION}@after_compute:sleep")
    until(lambda: "failpoint=" in town.crew.log("frozen"), "the run is being computed")
    os.killpg(frozen.pid, signal.SIGSTOP)
    town.crew.worker("awake", with_beat=True)
    town.await_state("proposed")
    os.killpg(frozen.pid, signal.SIGCONT)
    until(lambda: re.search(rf"job={jobs.COMPUTE_ALLOCATION} .* Fenced", town.crew.log("frozen")), "it was fenced off")
    town.publish()
    town.check_history()


def test_a_full_disk_stops_the_work_and_spends_no_attempt_until_there_is_room(town) -> None:
    """F14, in short: PostgreSQL answers that the disk is full, and later no more."""
    run = town.request(town.close_a_pool())
    owner = create_engine(town.crew.settings.owner_url)
    with owner.begin() as database:
        database.execute(text(_FULL))
    town.crew.worker(with_beat=True)
    until(lambda: "disk_full" in town.crew.log(), "the worker was told that the disk is full")
    (row,) = outbox(town.db, jobs.COMPUTE_ALLOCATION)
    assert (row.dead_at, row.done_at, row.lost) == (None, None, 0)
    assert row.attempts <= 1, "only that which goes on now"
    with town.db() as session:
        assert session.scalar(text("SELECT count(*) FROM award WHERE run_id = :run"), {"run": run}) == 0
    assert town.states() == {"requested"}
    with owner.begin() as database:
        database.execute(text("DROP TRIGGER full_disk ON award"))
    owner.dispose()
    town.await_state("proposed")
    town.publish()
    town.check_history()


_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
 $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON award FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
"""


def ring_often(town, job: str, times: int = 20) -> None:
    rings = [(job, row.id) for row in outbox(town.db, job)]
    for _ in range(times):
        bell.ring(town.crew.settings.redis_url, rings)

"""The broker loses everything, or is away: requests are taken all the same, and their work is done later."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import time
from pathlib import Path

import redis
from celery import Celery
from sqlalchemy.orm import sessionmaker

from coop import bell
from coop.config import kept_secrets
from coop.notices import service as notices
from coop.valkey import PrivateValkey
from tests.crew import until


def tell_twenty(town) -> None:
    for number in range(20):
        with town.db.begin() as session:
            notices.tell(session, f"n:{number}", "already_joined", person_id=1, address="ana@example.org", values={})


def check_twenty_arrived_once(town) -> None:
    town.await_rest()
    assert len({letter["Message-ID"] for letter in town.office.letters}) == len(town.office.letters) == 20


def test_what_was_queued_when_the_broker_was_emptied_is_done_all_the_same(town) -> None:
    """Fault matrix F7."""
    tell_twenty(town)
    with redis.Redis.from_url(town.crew.settings.redis_url) as broker:
        assert broker.llen("celery") >= 20
        broker.flushall()
    town.crew.worker(with_beat=True)
    check_twenty_arrived_once(town)


def test_orders_are_taken_while_the_broker_is_dead_and_worked_off_when_it_is_back_empty(town, tmp_path: Path) -> None:
    """F8 and F9: the broker is killed under a running worker and comes back at its address with nothing in it.

    Now and then that leaves the worker deaf; it ends itself after a minute, and whoever watches over it starts another.
    """
    home = tmp_path / "broker"
    home.mkdir()
    broker = PrivateValkey(home, kept_secrets(home))
    try:
        broker.await_answer()
        town.crew.settings = dataclasses.replace(town.crew.settings, redis_url=broker.url)
        town.db = bell.wire(sessionmaker(**town.db.kw), broker.url)
        town.crew.worker(with_beat=True)
        broker.child.send_signal(signal.SIGKILL)
        broker.child.wait()
        shutil.rmtree(home / "valkey" / "appendonlydir")
        pool = town.close_a_pool()
        began = time.monotonic()
        town.request(pool)
        assert time.monotonic() - began < 1.0
        broker.start()
        broker.await_answer()
        town.await_state("proposed", patience=150, meanwhile=town.crew.replace_ended)
        town.publish()
        town.check_history()
    finally:
        town.crew.dismiss_all()
        broker.stop()


def test_mail_waits_for_its_server_and_each_letter_arrives_once(town) -> None:
    """F25, in short: the server is away, then open."""
    town.office.shut()
    town.crew.worker(with_beat=True)
    tell_twenty(town)
    until(lambda: town.crew.log().count("mail_server_away") >= 20, "all were tried")
    assert town.office.letters == []
    town.office.open()
    check_twenty_arrived_once(town)


def test_a_worker_whose_connections_are_cut_ten_times_hears_again(town) -> None:
    """F10, where the worker recovers by itself."""
    town.crew.worker(with_beat=True)
    with redis.Redis.from_url(town.crew.settings.redis_url) as broker:
        for _ in range(10):
            broker.client_kill_filter(_type="normal", skipme=True)
            time.sleep(0.2)
    tell_twenty(town)
    check_twenty_arrived_once(town)


def test_a_worker_gone_deaf_ends_itself_and_the_next_one_does_its_work(town) -> None:
    """F10, where it does not: it stays connected and takes nothing more from the queue."""
    deaf = town.crew.worker("deaf", app="tests.hard_of_hearing", with_beat=True)
    time.sleep(4.0)
    assert deaf.poll() is None, "the sweep's bell alone keeps a worker that hears"
    with Celery(broker=town.crew.settings.redis_url) as asking:
        asking.control.cancel_consumer("celery", reply=True, timeout=5.0)
    tell_twenty(town)
    until(lambda: deaf.poll() is not None, "the deaf worker has ended")
    assert "deaf after=" in town.crew.log("deaf")
    town.crew.worker("hearing")
    check_twenty_arrived_once(town)

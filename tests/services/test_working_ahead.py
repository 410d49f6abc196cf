"""A pool may be asked for while the one before it is still being booked; what it comes to is as if it had waited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from datetime import timedelta

import pytest
from sqlalchemy import text

from coop import jobs
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.asking import service as asking
from coop.core.errors import RuleBroken
from coop.places import service as places
from coop.pools import service as pools
from coop.publishing import service as publishing
from coop.seasons.models import Season
from tests import rounds
from tests.builders import FIELD_KEY, NOW, a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering
from tests.rounds import work_off

AFTER = NOW + timedelta(days=3)


class Jars:
    """Ana and Ben each wish for one jar in each of two pools, one jar is made each time, and the first pool counts already."""

    def __init__(self, db, **terms) -> None:
        self.db = db
        with db.begin() as session:
            self.members = [a_household(session, name, credit_minor=90_000) for name in ("Ana", "Ben")]
            self.season = a_season(session, **terms)
            jam = a_product(session, an_artisan(session))
            self.pools, self.offerings = [], []
            for n in (1, 2):
                self.pools.append(
                    a_pool(session, self.season, f"Round {n}", closes_at=NOW + timedelta(days=2, hours=n))
                )
                self.offerings.append(an_offering(session, self.pools[-1], jam, price_minor=100))
        for pool, offering in zip(self.pools, self.offerings, strict=True):
            rounds.order(db, pool, {one: {offering: 1} for one in self.members})
        self.first = rounds.propose(db, self.pools[0], {self.offerings[0]: 1})
        publishing.publish(db, self.first, by=0, at=AFTER)
        with db.begin() as session:
            batch = "INSERT INTO yield_report (batch_id, n, pieces, broken, reported_by, reported_at) SELECT batch_id, 1, 1, 0, 0, :at FROM offering WHERE id = :one"
            session.execute(text(batch), {"one": self.offerings[1], "at": AFTER})
        pools.close_pool(db, self.pools[1], by=0, at=AFTER)

    def ask(self, **terms) -> int:
        return asking.request_run(self.db, self.pools[1], by=0, at=AFTER, **terms)

    def work_out(self, run: int) -> None:
        work_off(self.db, jobs.COMPUTE_ALLOCATION, run, lambda d, lease: allocation.carry_out(d, lease, at=AFTER, field_key=FIELD_KEY))  # fmt: skip

    def book(self, run: int) -> None:
        work_off(self.db, jobs.PUBLISH_ALLOCATION, run, lambda d, lease: publishing.carry_out_publication(d, lease, at=AFTER))  # fmt: skip

    def run(self, run: int) -> AllocationRun:
        with self.db() as session:
            return session.get_one(AllocationRun, run)

    def received(self, run: int) -> dict[int, int]:
        asked = "SELECT o.household_id, a.pieces FROM award a JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id WHERE a.run_id = :run"
        with self.db() as session:
            return dict(session.execute(text(asked), {"run": run}).all())


def test_a_pool_asked_for_meanwhile_waits_for_the_booking_and_starts_where_it_ends(fresh_db):
    jars = Jars(fresh_db)
    second = jars.ask()
    with ThreadPoolExecutor(1) as beside:
        working = beside.submit(jars.work_out, second)
        with pytest.raises(NotDone):
            working.result(timeout=0.3)
        assert jars.run(second).state == "requested"
        jars.book(jars.first)
        working.result(timeout=10)
    assert jars.run(second).chain_start == jars.run(jars.first).result_digest
    publishing.publish(fresh_db, second, by=0, at=AFTER)
    jars.book(second)
    assert jars.run(second).state == "published"
    # who went without the first time is owed half a jar, and comes first the second time
    assert {one: 1 - got for one, got in jars.received(jars.first).items()} == jars.received(second)


def test_a_booking_that_keeps_the_next_pool_waiting_gets_the_worker_first(db, monkeypatch):
    jars = Jars(db)
    second = jars.ask()
    monkeypatch.setattr(allocation, "_PATIENCE", 0.01)
    with pytest.raises(jobs.NotYet):
        jars.work_out(second)
    assert jars.run(second).state == "requested"


def test_a_pool_asked_for_meanwhile_fails_where_the_one_before_does_not_count_after_all(db):
    jars = Jars(db)
    second = jars.ask()
    with db.begin() as session:
        allocation.fail(session, jars.first, "the books of the month were closed")
    jars.work_out(second)
    assert (jars.run(second).state, jars.run(second).failure) == (
        "failed",
        "Round 1 closed before this pool. Publish its sharing out first.",
    )
    assert jars.received(second) == {}


def test_whoever_left_is_settled_with_only_after_the_pool_before_is_booked(db):
    jars = Jars(db)
    with db.begin() as session:
        size = a_size(session, jars.season, price_minor=0)
        cleo = a_household(session, "Cleo", credit_minor=90_000)
    share = places.take_share(db, size, household_id=cleo, by=0, at=NOW - timedelta(days=2), key="cleo")
    places.give_up_share(db, share, by=0, at=NOW - timedelta(days=1))
    refuses(jars, "earlier_pool")
    jars.book(jars.first)
    assert jars.run(jars.ask()).state == "requested"


def test_newcomers_begin_level_only_after_the_pool_before_is_booked(db):
    refuses(Jars(db, memory="season"), "earlier_pool")


def test_the_rule_is_fixed_once_the_first_outcome_counts_though_it_is_not_booked_yet(db):
    jars = Jars(db)
    with db.begin() as session:
        session.get_one(Season, jars.season).files_digest = "0" * 64
    refuses(jars, "rule_fixed", rule="cea/webster")


def refuses(jars: Jars, code: str, **terms) -> None:
    with pytest.raises(RuleBroken) as refused:
        jars.ask(**terms)
    assert refused.value.code == code

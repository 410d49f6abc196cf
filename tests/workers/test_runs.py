"""The runs that people ask for, through the real worker."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from coop import bell, jobs
from coop.batches import service as batches
from coop.clock import now
from coop.commands.money import paid
from coop.commands.running import Running
from coop.commands.season import allocated, closed_pools
from coop.core.errors import RuleBroken
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.core.records import CHAIN_START
from coop.core.season import local_day
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.payouts import service as payouts
from coop.payouts.models import PayoutRun
from coop.places import service as places
from coop.pools import service as pools
from coop.pools.models import Offering
from coop.seasons.models import Instalment
from tests import rounds
from tests.builders import NOW, a_household, a_pool, a_product, a_season, a_size, an_artisan, an_offering
from tests.crew import Crew, until


def test_a_payout_asked_for_is_worked_out_by_the_worker_and_the_timetable_runs(crew: Crew, fresh_db) -> None:
    db = bell.wire(fresh_db, crew.settings.redis_url)
    crew.worker(with_beat=True)
    run = payouts.request_payouts(db, through=now().date(), by=1, at=now())

    def outcome() -> tuple[str, str | None]:
        with db() as session:
            row = session.get_one(PayoutRun, run)
            return row.state, row.failure

    until(lambda: outcome() == ("cancelled", "Nobody is owed enough to be paid."), "the payout is worked out")
    with pytest.raises(RuleBroken) as refused:
        paid(Running(crew.settings, db), now().date(), by=0, second=-1, play=True)
    assert refused.value.code == "nothing_to_pay"
    for job in (jobs.SEAL_AUDIT, jobs.CLOSE_POOLS, jobs.RELEASE_INSTALMENTS, jobs.CHECK_BOOKS, jobs.PURGE):
        until(lambda job=job: re.search(rf"job={job} .* done", crew.log()), f"{job} was done")


@pytest.mark.parametrize("somebody_left", [False, True])
def test_a_season_is_shared_out_from_the_command_line_each_pool_after_the_other(
    crew: Crew, fresh_db, *, somebody_left: bool
) -> None:
    """The next one is asked for while the one before it is booked; where a leaver has to be settled with, after that."""
    coop = Running(crew.settings, bell.wire(fresh_db, crew.settings.redis_url))
    with fresh_db.begin() as session:
        members = [a_household(session, name, credit_minor=90_000) for name in ("Ana", "Ben")]
        season, jam = a_season(session), a_product(session, an_artisan(session))
        made = [a_pool(session, season, closes_at=NOW + timedelta(days=2, hours=n)) for n in range(3)]
        jars = [an_offering(session, pool, jam, price_minor=100) for pool in made]
        size = a_size(session, season, price_minor=0)
    if somebody_left:
        share = places.take_share(fresh_db, size, household_id=members[0], by=0, at=NOW - timedelta(days=3), key="take")
        places.give_up_share(fresh_db, share, by=0, at=NOW - timedelta(days=2))
    for pool, jar in zip(made, jars, strict=True):
        rounds.order(fresh_db, pool, {one: {jar: 1} for one in members})
        pools.close_pool(fresh_db, pool, by=0, at=NOW, reason="the jam is made")
        with fresh_db() as session:
            batch = session.get_one(Offering, jar).batch_id
        batches.report_yield(fresh_db, batch, pieces=1, by=0, at=NOW, key=f"y{jar}")
    crew.worker()
    lines = list(allocated(coop, closed_pools(coop), publish=True))
    assert [(line["state"], line["pieces"], line["short"]) for line in lines] == [("published", 1, 1)] * 3
    with fresh_db() as session:
        started = session.execute(text("SELECT chain_start, result_digest FROM allocation_run ORDER BY id")).all()
        got = session.scalars(text("SELECT pieces FROM award a JOIN order_line l ON l.id = a.line_id ORDER BY run_id, order_id")).all()  # fmt: skip
    digests = [line["result_digest"] for line in lines]
    assert started == list(zip([CHAIN_START, *digests], digests, strict=False))
    assert [sum(got[:2]), sum(got[2:4]), got[0] + got[2]] == [1, 1, 1], "who went without comes first"
    again = list(allocated(coop, closed_pools(coop), publish=True))
    assert again == [line | {"unchanged": True} for line in lines]


def test_a_paid_instalment_becomes_credit_on_its_day_by_itself(crew: Crew, fresh_db) -> None:
    today = local_day(now(), "Europe/Dublin")
    with fresh_db.begin() as session:
        ana = a_household(session, "Ana")
        size = a_size(session, a_season(session, starts=today, ends=today + timedelta(days=90)), price_minor=30_000)
    share = places.take_share(fresh_db, size, household_id=ana, by=0, at=now(), key="take")
    with fresh_db.begin() as session:
        first = session.scalars(select(Instalment)).one()
        first.amount_minor, first.due_on = 10_000, today + timedelta(days=1)
        session.add(Instalment(share_id=share, n=2, due_on=today + timedelta(days=2), amount_minor=20_000))
        session.flush()
        instalments.share_paid(session, share, 30_000, household_id=ana, on=today, key="bank:1", by=0, at=now())
        assert ledger.balance_of(session, MEMBER_CREDIT, household_party(ana)) == 0
        session.execute(text("UPDATE instalment SET due_on = :today WHERE n = 1"), {"today": today})

    def credit() -> int:
        with fresh_db() as session:
            return -ledger.balance_of(session, MEMBER_CREDIT, household_party(ana))

    crew.worker(with_beat=True)
    until(lambda: credit() == 10_000, "the first instalment is credit")
    again = jobs.RELEASE_INSTALMENTS
    with fresh_db.begin() as session:
        jobs.request(session, again, 1)
    until(lambda: len(re.findall(rf"job={again} .* done", crew.log())) >= 2, "it was done a second time")
    assert credit() == 10_000, "once, and the second not before its day"

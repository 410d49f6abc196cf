"""The runs that people ask for, through the real worker."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select, text

from coop import bell, jobs
from coop.clock import now
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.core.season import local_day
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.payouts import service as payouts
from coop.payouts.models import PayoutRun
from coop.places import service as places
from coop.seasons.models import Instalment
from tests.builders import a_household, a_season, a_size
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
    for job in (jobs.SEAL_AUDIT, jobs.CLOSE_POOLS, jobs.RELEASE_INSTALMENTS, jobs.CHECK_BOOKS, jobs.PURGE):
        until(lambda job=job: re.search(rf"job={job} .* done", crew.log()), f"{job} was done")


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

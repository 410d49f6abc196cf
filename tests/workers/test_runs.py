"""The runs that people ask for, through the real worker."""

from __future__ import annotations

import re

from coop import bell, jobs
from coop.clock import now
from coop.payouts import service as payouts
from coop.payouts.models import PayoutRun
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
    for job in (jobs.SEAL_AUDIT, jobs.CLOSE_POOLS, jobs.CHECK_BOOKS, jobs.PURGE):
        until(lambda job=job: re.search(rf"job={job} .* done", crew.log()), f"{job} was done")

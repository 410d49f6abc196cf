"""A worker killed in the middle of a correction: it is worked out and booked once all the same."""

from __future__ import annotations

import re

from sqlalchemy import text

from coop import bell, jobs
from coop.batches import service as batches
from coop.corrections import service as corrections
from coop.corrections.models import Correction
from coop.pools.models import Offering
from tests.builders import NOW
from tests.crew import until


def test_a_child_killed_while_a_correction_is_worked_out_and_booked_changes_nothing(town) -> None:
    pool = town.close_a_pool()
    town.request(pool)
    points = f"{jobs.COMPUTE_CORRECTION}@before_commit:kill {jobs.PUBLISH_CORRECTION}@before_commit:kill"
    town.crew.worker(with_beat=True, fail=points)
    town.await_state("proposed")
    town.publish()
    town.await_state("published")
    with town.db() as session:
        offering = session.execute(text("SELECT id FROM offering WHERE pool_id = :pool"), {"pool": pool}).scalar_one()
        batch = session.get_one(Offering, offering).batch_id
    batches.report_yield(town.db, batch, pieces=12, reason="counted again", by=0, at=NOW, key="again")
    db = bell.wire(town.db, town.crew.settings.redis_url)
    asked = corrections.request_correction(db, offering, by=1, at=NOW)

    def state() -> str:
        with town.db() as session:
            return session.get_one(Correction, asked).state

    until(lambda: state() == "proposed", "the correction is worked out", patience=60)
    corrections.publish(db, asked, by=1, at=NOW)
    until(lambda: state() == "published", "the correction is booked", patience=60)
    assert len(re.findall(r"failpoint=.*act=kill", town.crew.log())) == 2
    with town.db() as session:
        held = session.execute(
            text("SELECT -sum(p.amount) FROM posting p JOIN account a ON a.id = p.account_id WHERE a.code = 2020")
        ).scalar_one()
        runs = session.execute(text("SELECT version, state FROM allocation_run ORDER BY id")).all()
        standing = session.execute(text("SELECT coalesce(sum(owed_micro), 0) FROM standing")).scalar_one()
    assert (held, list(map(tuple, runs)), standing) == (12 * 520, [(1, "superseded"), (2, "published")], 0)

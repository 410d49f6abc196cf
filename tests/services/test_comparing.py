"""Other rules beside the one in force, on what a pool froze."""

from datetime import timedelta

from sqlalchemy import select

from coop.allocation.models import AllocationRun
from coop.allocation.queries import problem_of_run
from coop.core.outcome import under_rule
from coop.core.pool_run import share_out
from coop.orders.service import place_order
from coop.pools import service as pools
from coop.wishes.service import Wish
from tests import rounds
from tests.builders import FIELD_KEY, NOW, a_household, a_pool, a_season, an_offering


def test_first_come_beside_another_rule_serves_in_the_order_in_which_wishes_were_raised(db):
    with db.begin() as session:
        pool = a_pool(session, a_season(session))
        jam = an_offering(session, pool)
        comers = [a_household(session, f"Comer {n}", credit_minor=10_000) for n in range(8)]
    pools.open_pool(db, pool, by=0, at=NOW - timedelta(hours=9))
    for n, comer in enumerate(comers):
        at = NOW - timedelta(hours=8 - n)
        place_order(db, pool, [Wish(jam, 1, 1, 520)], household_id=comer, by=0, at=at, key=f"{n}")
    run = rounds.propose(db, pool, {jam: 4})
    with db() as session:
        row = session.scalars(select(AllocationRun).where(AllocationRun.id == run)).one()
        problem = under_rule(problem_of_run(session, row, FIELD_KEY), "priority@1")
    (claimed,), (outcome,) = problem.batches, share_out(problem).outcomes
    served = {who for who, pieces in zip(claimed.household_ids, outcome.awards, strict=True) if pieces}
    assert served == set(comers[:4])

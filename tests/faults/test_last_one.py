"""Forty want the last one, and one credit is spent twenty times at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from sqlalchemy import text

from coop.core.errors import RuleBroken
from coop.orders import service as orders
from coop.places import service as places
from coop.pools import service as pools
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_season, a_size, an_offering


def all_at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    """Start all acts behind one barrier and count how they ended."""
    answers: list[str] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
            answers.append("done")
        except RuleBroken as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def test_of_forty_that_want_the_last_season_share_one_gets_it(fresh_db) -> None:
    """Fault matrix F16."""
    with fresh_db.begin() as session:
        size = a_size(session, a_season(session), cap=1)
        households = [a_household(session, f"Household {n}") for n in range(40)]

    def take(household: int) -> Callable[[], object]:
        return lambda: places.take_share(
            fresh_db, size, household_id=household, by=household, at=NOW, key=f"take {household}"
        )

    assert all_at_once([take(household) for household in households]) == {"done": 1, "sold_out": 39}
    with fresh_db() as session:
        assert session.scalar(text("SELECT count(*) FROM season_share")) == 1


def test_credit_for_one_order_pays_for_one_of_twenty(fresh_db) -> None:
    """F17: twenty tabs, each in another pool, and credit for one."""
    with fresh_db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=10_000)
        season = a_season(session)
        offered = []
        for _ in range(20):
            pool = a_pool(session, season)
            offered.append((pool, an_offering(session, pool, price_minor=1000)))
    for pool, _ in offered:
        pools.open_pool(fresh_db, pool, by=0, at=NOW)

    def order(pool: int, offering: int) -> Callable[[], object]:
        wish = Wish(offering, 9, 9, 1000)
        return lambda: orders.place_order(fresh_db, pool, [wish], household_id=ana, by=1, at=NOW, key=f"order {pool}")

    assert all_at_once([order(*one) for one in offered]) == {"done": 1, "insufficient_credit": 19}
    with fresh_db() as session:
        balances = session.execute(
            text(
                "SELECT a.code, b.amount FROM balance b JOIN account a ON a.id = b.account_id"
                " WHERE a.code IN (2000, 2020)"
            )
        )
        assert {code: abs(amount) for code, amount in balances} == {2000: 1_000, 2020: 9_000}

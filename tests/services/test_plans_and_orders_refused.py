"""What an order, a pool and an offering may not be: refused by code, at its field, with nothing kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.asking import service as asking
from coop.core.errors import RuleBroken
from coop.orders import service as orders
from coop.payouts import service as payouts
from coop.pools import service as pools
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_season, an_offering
from tests.rounds import compute_payouts, fetch
from tests.services.test_payouts import Coop

CREDIT, PRICE, CAP = 10_000, 520, 6


class Table:
    """Ana has 100.00, and one jam at 5.20 is offered in an open pool, six a household at most; another pool has not opened."""

    def __init__(self, db) -> None:
        self.db = db
        with db.begin() as session:
            self.ana = a_household(session, "Ana", credit_minor=CREDIT)
            season = a_season(session)
            self.pool, self.planned = a_pool(session, season), a_pool(session, season)
            self.jam = an_offering(session, self.pool, price_minor=PRICE, cap=CAP)
            self.gin = an_offering(session, self.planned, price_minor=PRICE)
        pools.open_pool(db, self.pool, by=0, at=NOW)

    def order(self, *wishes: Wish, pool: int | None = None, at=NOW) -> int:
        return orders.place_order(
            self.db, pool or self.pool, wishes, household_id=self.ana, by=self.ana, at=at, key="tab"
        )

    def is_untouched(self) -> bool:
        counts = "SELECT (SELECT count(*) FROM order_line), (SELECT count(*) FROM household_order), (SELECT count(*) FROM entry WHERE kind = 'order')"
        with self.db() as session:
            return tuple(session.execute(text(counts)).one()) == (0, 0, 0)


def refused(act, *args, **named) -> tuple[str, str]:
    with pytest.raises(RuleBroken) as said:
        act(*args, **named)
    assert said.value.sentence
    return said.value.code, said.value.field.partition("-")[0]


@pytest.mark.parametrize(
    ("wish", "up_to", "shown", "code"),
    [
        (-1, 1, PRICE, ("bad_wish", "up_to")),
        (2, 1, PRICE, ("bad_wish", "up_to")),
        (1, 10**9, PRICE, ("bad_wish", "up_to")),
        (1, CAP + 1, PRICE, ("over_cap", "wish")),
        (1, 1, PRICE - 1, ("price_changed", "wish")),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_nothing_is_held(db, wish, up_to, shown, code):
    table = Table(db)
    assert refused(table.order, Wish(table.jam, wish, up_to, shown)) == code
    assert table.is_untouched()


def test_the_refusal_of_a_price_shows_both(db):
    table = Table(db)
    with pytest.raises(RuleBroken, match=r"it was 5\.19 EUR, and is 5\.20 EUR now"):
        table.order(Wish(table.jam, 1, 1, PRICE - 1))


def test_an_order_of_the_cap_for_all_the_credit_is_taken(db):
    table = Table(db)
    with db.begin() as session:
        session.execute(text("UPDATE offering SET cap = 19 WHERE id = :jam"), {"jam": table.jam})
    table.order(Wish(table.jam, 19, 19, PRICE))


def test_an_order_beyond_the_credit_says_what_is_missing(db):
    table = Table(db)
    with db.begin() as session:
        session.execute(text("UPDATE offering SET cap = NULL WHERE id = :jam"), {"jam": table.jam})
    with pytest.raises(RuleBroken, match=r"4\.00") as said:  # 20 x 5.20 - 100.00
        table.order(Wish(table.jam, 1, 20, PRICE))
    assert said.value.code == "insufficient_credit"
    assert table.is_untouched()


def test_a_batch_stands_once_in_an_order_and_in_its_own_pool(db):
    table = Table(db)
    jam = Wish(table.jam, 1, 1, PRICE)
    assert refused(table.order, jam, jam)[0] == "same_line_twice"
    assert refused(table.order, Wish(table.gin, 1, 1, PRICE))[0] == "not_found"
    assert table.is_untouched()


def test_orders_are_taken_from_the_opening_to_the_cut_off(db):
    table = Table(db)
    jam, cut_off = Wish(table.jam, 1, 1, PRICE), NOW + timedelta(days=2)
    assert refused(table.order, Wish(table.gin, 1, 1, PRICE), pool=table.planned)[0] == "not_open"
    assert refused(table.order, jam, at=cut_off + timedelta(microseconds=1))[0] == "closed_at"
    assert table.is_untouched()
    table.order(jam, at=cut_off)


@pytest.mark.parametrize(
    ("opens", "closes", "pickup", "field"), [(0, 0, 5, "closes_at"), (3, 2, 5, "closes_at"), (0, 2, 1, "pickup_on")]
)
def test_a_pool_opens_closes_and_is_fetched_in_this_order(db, opens, closes, pickup, field):
    def plan():
        with db.begin() as session:
            days = [NOW + timedelta(days=one) for one in (opens, closes, pickup)]
            times = {"opens_at": days[0], "closes_at": days[1], "pickup_on": days[2].date()}
            pools.plan_pool(session, a_season(session), "Next", **times)

    assert refused(plan) == ("bad_order", field)
    with db() as session:
        assert session.execute(text("SELECT count(*) FROM pool")).scalar_one() == 0


def test_a_batch_is_offered_once_and_only_before_orders_open(db):
    table = Table(db)
    with db() as session:
        batch = session.execute(text("SELECT batch_id FROM offering WHERE id = :jam"), {"jam": table.jam}).scalar_one()
    offered = {"price_minor": 1, "by": 0, "at": NOW, "key": "offer"}
    assert refused(pools.offer_batch, db, table.planned, batch, **offered)[0] == "already_offered"
    assert refused(pools.withdraw_offering, db, table.pool, table.jam, by=0)[0] == "in_use"
    with db.begin() as session:
        empty = a_pool(session, a_season(session, "Winter"))
    assert refused(pools.open_pool, db, empty, by=0, at=NOW)[0] == "nothing_offered"


def test_a_pool_is_shared_out_closed_and_with_its_yields(db):
    table = Table(db)
    assert refused(asking.request_run, db, table.pool, by=1, at=NOW)[0] == "not_closed"
    table.order(Wish(table.jam, 1, 1, PRICE))
    pools.close_pool(db, table.pool, by=0, at=NOW, reason="made early")
    assert refused(asking.request_run, db, table.pool, by=1, at=NOW)[0] == "yields_missing"
    asking.request_run(db, table.pool, by=1, at=NOW, without_missing=True)


def test_only_a_payout_that_went_wrong_is_tried_again(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 1)
    run = compute_payouts(db, by=coop.jun)
    assert refused(payouts.try_again, db, run, by=coop.jun, at=NOW)[0] == "not_failed"

"""The hardship fund's pages: a tier is agreed and ended, counts for orders, and nobody else sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from coop.clock import now
from coop.hardship import service as hardship
from coop.hardship.models import HardshipTier
from coop.ledger import service as ledger
from coop.orders.models import OrderLine
from coop.pools import service as pools
from coop.treasury import service as treasury
from tests.builders import a_household, a_pool, a_season, an_offering, give_credit


@pytest.fixture
def shop(db, client_as):
    """A member with 50.00 of credit, an open pool with mugs at 9.99, and 20.00 in the fund from Ben."""
    member = client_as("member")
    with db.begin() as session:
        ben = a_household(session, "Ben", credit_minor=5000)
        give_credit(session, member.household_id, 5000)
        pool = a_pool(session, a_season(session), closes_at=now() + timedelta(days=2))
        mugs = an_offering(session, pool, price_minor=999)
    pools.open_pool(db, pool, by=0, at=now())
    treasury.give_to_fund(db, ben, 2000, by=0, at=now(), key="gift")
    return member, pool, mugs


def fund(db):
    with db() as session:
        return -ledger.balance_of(session, 2300, "")


def test_a_treasurer_agrees_a_tier_and_the_member_pays_its_part_alone(db, client_as, shop):
    member, pool, mugs = shop
    treasurer = client_as("treasurer")
    through = (now() + timedelta(days=30)).date().isoformat()
    path = f"/hardship/{member.household_id}"
    assert treasurer.fill(path, {"tier": "60", "through": through, "reason": "asked for it"}).status_code == 303
    page = member.get(f"/pools/{pool}").text
    assert "You pay 60% of each price, the hardship fund the rest." in page
    assert "asked for it" not in page
    member.fill(f"/pools/{pool}", {f"wish-{mugs}": "3", f"up_to-{mugs}": ""})
    with db() as session:
        line = session.scalar(select(OrderLine))
    # 3 x 999 = 2997; 60 % of it 1798.2 -> 1798; the fund 1199
    assert (line.up_to, line.fund_minor, line.fund_held_minor) == (3, 1199, 1199)
    assert fund(db) == 2000 - 1199
    assert "17.98" in member.get(f"/pools/{pool}").text


def test_a_tier_that_ended_counts_no_more_and_the_order_before_stands(db, client_as, shop):
    member, pool, mugs = shop
    treasurer = client_as("treasurer")
    at = now()
    hardship.grant_tier(db, member.household_id, tier_bp=5000, through=at.date(), reason="x", by=0, at=at, key="t")
    member.fill(f"/pools/{pool}", {f"wish-{mugs}": "2", f"up_to-{mugs}": ""})
    assert fund(db) == 2000 - 999
    treasurer.press(f"/hardship/{member.household_id}/end")
    assert fund(db) == 2000 - 999
    assert "of each price" not in member.get(f"/pools/{pool}").text
    member.fill(f"/pools/{pool}", {f"wish-{mugs}": "1", f"up_to-{mugs}": ""})
    assert fund(db) == 2000


def test_an_order_beyond_the_fund_is_refused_whole_with_a_sentence(db, shop):
    member, pool, mugs = shop
    at = now()
    hardship.grant_tier(db, member.household_id, tier_bp=0, through=at.date(), reason="x", by=0, at=at, key="t")
    answer = member.fill(f"/pools/{pool}", {f"wish-{mugs}": "3", f"up_to-{mugs}": ""})
    assert answer.status_code == 422
    assert "The hardship fund cannot bear its part of this order now." in answer.text
    assert fund(db) == 2000


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tier": "201"}, "200"),
        ({"tier": "-1"}, "0"),
        ({"tier": "half"}, "a percentage"),
        ({"through": "2020-01-01"}, "Choose today or a day to come."),
        ({"reason": ""}, "Please"),
    ],
)
def test_what_no_tier_is_is_said_beside_what_was_typed(db, client_as, shop, typed, said):
    member, *_ = shop
    through = (now() + timedelta(days=30)).date().isoformat()
    whole = {"tier": "60", "through": through, "reason": "asked"} | typed
    answer = client_as("treasurer").fill(f"/hardship/{member.household_id}", whole)
    assert answer.status_code == 422
    assert said in answer.text
    with db() as session:
        assert session.scalar(select(HardshipTier)) is None


def test_only_those_who_grant_it_see_who_is_helped(client_as, shop):
    member, *_ = shop
    for role in ("member", "packer", "artisan"):
        assert client_as(role).get("/hardship").status_code == 403
    assert client_as("treasurer").get(f"/hardship/{member.household_id}").status_code == 200
    assert client_as("admin").get("/hardship/999999").status_code == 404

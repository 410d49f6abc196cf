"""A season share after the season began: refused, at its full price, or for the part of the pools or days that is left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.clock import now
from coop.core.errors import RuleBroken
from coop.places import service as places
from coop.policy import service as policy
from coop.pools import service as pools
from tests.builders import a_household, a_season, a_size


@pytest.fixture
def ana(client_as):
    return client_as("member")


def choose(db, way):
    with db.begin() as session:
        policy.settle(session, "late_shares", way, by=0)


def begun(db, *, ago=6, days=10, cut_offs=(), **bounds):
    """A season of so many days that began so many ago, with pools whose cut-offs are so many days from now; a share is 100.01."""
    today = now().date()
    with db.begin() as session:
        season = a_season(session, starts=today - timedelta(days=ago), ends=today - timedelta(days=ago - days + 1))
        for n, ahead in enumerate(cut_offs):
            closes = now() + timedelta(days=ahead)
            named = {"opens_at": closes - timedelta(days=30), "closes_at": closes, "pickup_on": closes.date()}
            pools.plan_pool(session, season, f"Pool {n}", **named)
        size = a_size(session, season, price_minor=10_001)
        if bounds:
            least, most = bounds["least"], bounds["most"]
            session.execute(text(f"UPDATE share_size SET price_min_minor = {least}, price_max_minor = {most}"))
    return size


def costs(db):
    with db() as session:
        return session.scalars(text("SELECT amount_minor FROM instalment ORDER BY id")).all()


def test_at_the_full_price_nothing_changes(ana, db):
    size = begun(db)
    assert "Take a full share for €100.01" in ana.get("/season").text
    assert ana.fill("/season", action=f"/season/sizes/{size}/shares").status_code == 303
    assert costs(db) == [10_001]


def test_refused_is_said_and_holds_for_waiting_too(ana, db):
    choose(db, "refuse")
    size = begun(db)
    page = ana.get("/season").text
    assert "The season has begun, so its shares can no longer be taken." in page
    assert f"/season/sizes/{size}/shares" not in page
    asked = {"household_id": ana.household_id, "by": ana.person_id, "at": now()}
    for act in (places.take_share, places.join_waiting_list):
        with pytest.raises(RuleBroken) as refused:
            act(db, size, key=act.__name__, **asked)
        assert refused.value.code == "season_started"
    assert ana.press(f"/season/sizes/{size}/shares").status_code == 422
    assert costs(db) == []


def test_the_part_of_the_days_is_seen_and_then_paid(ana, db):
    choose(db, "days")
    size = begun(db, ago=6, days=10)  # 4 of 10 days are left: 40.004
    assert f"/season/sizes/{size}/price" in ana.get("/season").text
    page = ana.get(f"/season/sizes/{size}/price").text
    assert "4 of its 10 days are left" in page
    assert "Take a full share for €40.00" in page
    assert ana.fill(f"/season/sizes/{size}/price").status_code == 303
    assert costs(db) == [4_000]


def test_the_part_of_the_pools_counts_those_whose_cut_off_is_to_come(ana, db):
    choose(db, "pools")
    size = begun(db, cut_offs=(-3, 1, 5, 8))  # 3 of 4: 75.0075
    page = ana.get(f"/season/sizes/{size}/price").text
    assert "3 of its 4 pools are left" in page
    assert ana.fill(f"/season/sizes/{size}/price").status_code == 303
    assert costs(db) == [7_501]


def test_without_a_pool_that_is_left_there_is_no_share(ana, db):
    choose(db, "pools")
    size = begun(db, cut_offs=(-3, -1))
    answer = ana.get(f"/season/sizes/{size}/price")
    assert (answer.status_code, "no share can be taken any more" in answer.text) == (422, True)


def test_where_no_pool_is_planned_days_count(ana, db):
    choose(db, "pools")
    size = begun(db, ago=5, days=10)
    assert "5 of its 10 days are left" in ana.get(f"/season/sizes/{size}/price").text


@pytest.mark.parametrize("ago", [0, -3])
def test_until_the_first_day_is_over_a_share_costs_its_price(ana, db, ago):
    choose(db, "days")
    size = begun(db, ago=ago)
    assert ana.fill("/season", action=f"/season/sizes/{size}/shares").status_code == 303
    assert costs(db) == [10_001]


def test_an_own_price_keeps_to_the_same_part_of_its_bounds(ana, db):
    choose(db, "days")
    size = begun(db, ago=5, days=10, least=5_000, most=15_000)  # half of it
    path = f"/season/sizes/{size}/price"
    for beyond in ("24.99", "75.01"):
        answer = ana.fill(path, {"price": beyond})
        assert (answer.status_code, "Choose a price from 25.00 to 75.00 EUR." in answer.text) == (422, True)
        assert f'value="{beyond}"' in answer.text
    assert ana.fill(path, {"price": "25.00"}).status_code == 303
    assert costs(db) == [2_500]


@pytest.mark.parametrize("shown", ["9999", "x", "-1"])
def test_the_price_that_was_seen_is_the_price_that_is_paid(ana, db, shown):
    choose(db, "days")
    size = begun(db)
    path = f"/season/sizes/{size}/price"
    answer = ana.fill(path, {"shown": shown})
    if shown == "9999":
        assert (answer.status_code, "The page said 99.99 EUR, and the share costs 40.00 EUR by now." in answer.text) == (422, True)  # fmt: skip
        assert costs(db) == []
    else:
        assert answer.status_code in {303, 422}
        assert costs(db) in ([], [4_000])


def test_an_admin_chooses_it_in_the_settings(client_as, db):
    niamh = client_as("admin")
    assert niamh.fill("/settings", {"late_shares": "pools"}).status_code == 303
    with db() as session:
        assert policy.current(session, "late_shares", at=now()) == "pools"
    assert niamh.fill("/settings", {"late_shares": "half"}).status_code == 422


def test_one_household_may_not_look_for_another(client_as, db):
    size = begun(db)
    assert client_as("treasurer").get(f"/season/sizes/{size}/price").status_code == 403
    with db.begin() as session:
        a_household(session)
    assert client_as("member").get("/season/sizes/999999/price").status_code == 404

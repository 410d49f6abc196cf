"""An admin writes a recipe, members read it, and an order says what it may cost at most."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from coop.clock import now
from coop.orders.models import HouseholdOrder
from coop.pools import service as pools
from tests.builders import a_pool, a_product, a_season, a_size, an_artisan, an_offering, give_credit


@pytest.fixture
def town(db):
    today = now().date()
    with db.begin() as session:
        season = a_season(session, starts=today - timedelta(days=30), ends=today + timedelta(days=60))
        size = a_size(session, season, "full", price_minor=0)
        maker = an_artisan(session)
        gin, jam = (a_product(session, maker, name) for name in ("Gin", "Jam"))
        pool = a_pool(session, season, "November", closes_at=now() + timedelta(days=2))
        offering = an_offering(session, pool, jam, price_minor=520)
    return {"season": season, "size": size, "gin": gin, "jam": jam, "pool": pool, "offering": offering}


def test_an_admin_writes_a_recipe_line_by_line_and_members_read_it(client_as, town):
    admin = client_as("admin")
    path = f"/seasons/sizes/{town['size']}/recipe"
    assert admin.fill(path, {"pieces": "1", "product": town["gin"], "part": "0"}).status_code == 303
    part = re.search(r'<option value="(\d+)">instead of 1 . Gin', admin.get(path).text)
    assert admin.fill(path, {"pieces": "2", "product": town["jam"], "part": part[1]}).status_code == 303
    assert (
        "1 \N{MULTIPLICATION SIGN} Gin or 2 \N{MULTIPLICATION SIGN} Jam"
        in admin.get(f"/seasons/{town['season']}/sizes").text
    )
    assert "1 \N{MULTIPLICATION SIGN} Gin or 2 \N{MULTIPLICATION SIGN} Jam" in client_as("member").get("/season").text
    take_out = re.search(r'action="([^"]+/take-out)"', admin.get(path).text)[1]
    assert admin.press(take_out).status_code == 303
    assert "1 \N{MULTIPLICATION SIGN} Gin" not in admin.get(path).text


@pytest.mark.parametrize(
    "typed", [{"pieces": "0"}, {"pieces": "1001"}, {"pieces": "1.5"}, {"product": "999999"}, {"part": "7"}]
)
def test_what_makes_no_line_is_refused_beside_what_was_typed(client_as, town, typed):
    admin = client_as("admin")
    path = f"/seasons/sizes/{town['size']}/recipe"
    sent = admin.fill(path, {"pieces": "1", "product": town["gin"], "part": "0"} | typed)
    assert sent.status_code == 422
    assert "none yet" in admin.get(f"/seasons/{town['season']}/sizes").text


def test_a_recipe_that_is_not_there_is_not_found(client_as, town):
    admin = client_as("admin")
    assert admin.get("/seasons/sizes/999999/recipe").status_code == 404


def test_an_order_keeps_the_most_it_may_cost(db, client_as, town):
    pools.open_pool(db, town["pool"], by=0, at=now())
    ana = client_as("member")
    with db.begin() as session:
        give_credit(session, ana.household_id, 10_000, on=now().date())
    path, wish = f"/pools/{town['pool']}", f"wish-{town['offering']}"
    assert ana.fill(path, {wish: "2", "most": "10.00"}, action=path).status_code == 422
    assert "let it cost 10.00 at most" in ana.fill(path, {wish: "2", "most": "10.00"}, action=path).text
    assert ana.fill(path, {wish: "2", "most": "10.40"}, action=path).status_code == 303
    assert 'value="10.40"' in ana.get(path).text
    assert ana.fill(path, {wish: "3"}, action=path).status_code == 422
    assert ana.fill(path, {wish: "3", "most": ""}, action=path).status_code == 303
    with db() as session:
        order = session.query(HouseholdOrder).one()
        assert order.most_minor is None


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("written", "wrote an order for you"),
        ("no_credit", "more than your credit"),
        ("refused", "could not be ordered"),
    ],
)
def test_the_order_page_says_what_came_of_a_recipe(db, client_as, town, outcome, words):
    pools.open_pool(db, town["pool"], by=0, at=now())
    ana = client_as("member")
    with db.begin() as session:
        session.add(
            HouseholdOrder(pool_id=town["pool"], household_id=ana.household_id, placed_at=now(), recipe=outcome)
        )
    assert words in ana.get(f"/pools/{town['pool']}").text

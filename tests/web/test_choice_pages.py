"""A member says in a browser what it would take instead."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from coop.clock import now
from coop.core.claims import TOGETHER_RULE
from coop.orders.models import HouseholdOrder, OrderLine
from coop.pools import service as pools
from tests.builders import a_pool, a_product, a_season, an_artisan, an_offering, give_credit


@pytest.fixture
def town(db):
    """An open pool: gin and jam are shared out together, the mug by itself."""
    today = now().date()
    with db.begin() as session:
        season = a_season(session, starts=today - timedelta(days=30), ends=today + timedelta(days=60))
        maker = an_artisan(session)
        pool = a_pool(session, season, "November", closes_at=now() + timedelta(days=2))
        gin, jam, mug = (
            an_offering(session, pool, a_product(session, maker, name), price_minor=price, rule=rule)
            for name, price, rule in (("Gin", 3400, TOGETHER_RULE), ("Jam", 520, TOGETHER_RULE), ("Mug", 1800, None))
        )
    pools.open_pool(db, pool, by=0, at=now())
    return {"pool": pool, "gin": gin, "jam": jam, "mug": mug}


@pytest.fixture
def ana(db, client_as, town):
    """Ana with 100.00 of credit, who wishes for one jam and one mug."""
    browser = client_as("member")
    with db.begin() as session:
        give_credit(session, browser.household_id, 10_000, on=now().date())
    path = f"/pools/{town['pool']}"
    browser.fill(path, {f"wish-{town['jam']}": "1", f"wish-{town['mug']}": "1"}, action=path)
    return browser


def chosen(db):
    with db() as session:
        lines = session.scalars(select(OrderLine).join(HouseholdOrder).where(OrderLine.choice.is_not(None)))
        return {line.offering_id: (line.wish, line.rank) for line in lines}


def name(browser, town, of, *instead):
    path = f"/pools/{town['pool']}/instead/{town[of]}"
    named = [*instead, 0, 0, 0, 0, 0][:5]
    return browser.fill(path, {f"instead_{place}": str(one) for place, one in enumerate(named, 1)})


def test_a_member_names_an_alternative_and_reads_it_in_the_order(db, ana, town):
    page = ana.get(f"/pools/{town['pool']}")
    assert f"/pools/{town['pool']}/instead/{town['jam']}" in page.text
    assert f"/pools/{town['pool']}/instead/{town['mug']}" not in page.text
    saved = name(ana, town, "jam", town["gin"])
    assert (saved.status_code, saved.location) == (303, f"/pools/{town['pool']}")
    assert chosen(db) == {town["jam"]: (1, 1), town["gin"]: (1, 2)}
    page = ana.get(saved.location).text
    assert "1 \N{MULTIPLICATION SIGN} Jam or Gin" in page
    assert "€52.00" in page  # a gin of 34.00 is the dearest outcome, and the mug 18.00
    again = ana.get(f"/pools/{town['pool']}/instead/{town['gin']}").text
    assert "Instead of Jam" in again
    assert f'selected value="{town["gin"]}"' in again
    assert name(ana, town, "gin", 0).status_code == 303
    assert chosen(db) == {}


def test_what_cannot_stand_in_is_refused_beside_its_field_and_kept(db, ana, town):
    twice = name(ana, town, "jam", town["gin"], town["gin"])
    assert twice.status_code == 422
    assert "named already" in twice.text
    assert twice.text.count(f'selected value="{town["gin"]}"') == 2
    assert name(ana, town, "jam", town["mug"]).status_code == 422
    assert name(ana, town, "jam", 999_999).status_code == 404
    assert chosen(db) == {}


def test_a_wish_that_is_not_one_s_own_is_not_there(ana, client_as, town):
    path = f"/pools/{town['pool']}/instead/"
    assert ana.get(f"{path}{town['gin']}").status_code == 404
    assert client_as("member").get(f"{path}{town['jam']}").status_code == 404

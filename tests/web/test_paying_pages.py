"""A member sees what to pay, to which account and with which reference, and a code that a banking app reads."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.clock import now
from coop.core.payment_reference import references_in
from coop.policy import service as policy
from coop.seasons import service as seasons
from tests.builders import a_season
from tests.services.test_bank import OURS


@pytest.fixture
def with_account(db):
    with db.begin() as session:
        policy.settle(session, "coop_iban", OURS, by=0)


def test_a_top_up_shows_the_transfer_with_the_households_own_reference(client_as, with_account):
    ana = client_as("member")
    page = ana.get("/pay?for=credit&amount=25.00")
    assert page.status_code == 200
    assert "€25.00" in page.text
    assert '<svg viewBox="0 0' in page.text
    assert {("H", ana.household_id)} == {tuple(one) for one in references_in(page.text)}


def test_without_an_amount_there_is_a_reference_and_no_code(client_as, with_account):
    page = client_as("member").get("/pay?for=gift")
    assert (page.status_code, "as you like" in page.text, "qr-figure" in page.text) == (200, True, False)


@pytest.mark.parametrize("typed", ["1e3", "0", "-5", "12.345", "99999999999999"])
def test_an_amount_that_is_none_is_kept_and_explained(client_as, with_account, typed):
    page = client_as("member").get("/pay", query_string={"amount": typed})
    assert (page.status_code, f'value="{typed}"' in page.text, "amount-error" in page.text) == (422, True, True)


def test_without_an_account_of_the_coop_the_page_says_so(client_as):
    assert "No account yet" in client_as("member").get("/pay").text


def test_a_page_of_payment_asks_few_questions(client_as, with_account, queries_of):
    ana = client_as("member")
    assert queries_of(lambda: ana.get("/pay?amount=5")) <= 12


@pytest.fixture
def own_price(db) -> int:
    with db.begin() as session:
        season = a_season(session, starts=now().date() - timedelta(days=30), ends=now().date() + timedelta(days=330))
        bounds = {"price_min_minor": 20_000, "price_max_minor": 45_000}
        return seasons.add_size(session, season, "full", weight=2, price_minor=30_000, **bounds)


def test_a_member_chooses_a_price_and_pays_it_monthly(client_as, with_account, own_price, queries_of):
    ana = client_as("member")
    assert f"/season/sizes/{own_price}/price" in ana.get("/season").text
    low = ana.fill(f"/season/sizes/{own_price}/price", {"price": "199.99"})
    assert (low.status_code, "200.00" in low.text, 'value="199.99"' in low.text) == (422, True, True)
    assert ana.fill(f"/season/sizes/{own_price}/price", {"price": "240.00"}).status_code == 303
    (link,) = set(re.findall(r"/pay/monthly/\d+", ana.get("/pay").text))
    first = (now() + timedelta(days=40)).date().isoformat()
    many = ana.fill(link, {"months": "20", "first": first})
    assert (many.status_code, "after the season" in many.text) == (422, True)
    assert ana.fill(link, {"months": "4", "first": first}).status_code == 303
    assert ana.get("/pay").text.count("€60.00") >= 4
    assert queries_of(lambda: ana.get(link)) <= 12
    assert client_as("member").get(link).status_code == 404


def test_an_admin_says_the_bounds_of_a_price(client_as, own_price, db):
    with db() as session:
        season = session.scalar(text("SELECT season_id FROM share_size WHERE id = :id"), {"id": own_price})
    admin, told = client_as("admin"), {"name": "half", "weight": "1", "price": "150.00"}
    wrong = admin.fill(f"/seasons/{season}/sizes", told | {"price_min": "150.01"})
    assert (wrong.status_code, "at most the price" in wrong.text) == (422, True)
    assert (
        admin.fill(f"/seasons/{season}/sizes", told | {"price_min": "100.00", "price_max": "200.00"}).status_code == 303
    )
    assert "€100.00 to €200.00" in admin.get(f"/seasons/{season}/sizes").text

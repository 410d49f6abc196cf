"""A packer finds who fetches what, ticks it off, and sees nothing of money."""

from __future__ import annotations

import re

import pytest
import time_machine
from sqlalchemy import text

from coop.pickups import service as pickups
from tests import rounds
from tests.builders import a_household, a_pickup_point, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import PICKUP


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


class Table:
    """Ana fetches two jars of jam and one bottle of gin at Mill Yard, Ben three jars wherever he likes."""

    def __init__(self, db):
        with db.begin() as session:
            self.ana = a_household(session, "Ana & Tomas", credit_minor=20_000)
            self.ben = a_household(session, "Ben", credit_minor=20_000)
            maker = an_artisan(session, "Orchard Lane")
            self.pool = a_pool(session, a_season(session), "Advent pool")
            self.jam = an_offering(session, self.pool, a_product(session, maker, "Damson jam"), price_minor=637)
            gin = a_product(session, maker, "Hedgerow gin", unit=("bottle", "bottles"), min_age=18)
            self.gin = an_offering(session, self.pool, gin, price_minor=3891)
            self.point = a_pickup_point(session)
        pickups.choose_point(db, self.ana, self.point, by=0)
        lines = rounds.publish(
            db, self.pool, {self.ana: {self.jam: 2, self.gin: 1}, self.ben: {self.jam: 3}}, {self.jam: 9, self.gin: 9}
        )
        self.anas_jam, self.anas_gin, self.bens_jam = (
            lines[key] for key in ((self.ana, self.jam), (self.ana, self.gin), (self.ben, self.jam))
        )
        self.order = rounds.order_of(db, self.anas_jam)
        self.path = f"/pickups/orders/{self.order}"


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


def test_todays_pickup_stands_first_with_its_points(client_as, db):
    table = Table(db)
    page = client_as("packer").get("/pickups")
    assert "Mill Yard" in page.text
    assert f"/pickups/{table.pool}?point={table.point}" in page.text
    assert re.search(r"Advent pool .* today .* Mill Yard .* 1 3 3 No pickup point chosen 1 3 3", words(page.text))


def test_the_packing_list_goes_by_point_and_household_and_can_be_searched(client_as, db):
    table = Table(db)
    packer = client_as("packer")
    assert re.search(
        r"Mill Yard Ana &amp; Tomas .* No pickup point chosen Ben", words(packer.get(f"/pickups/{table.pool}").text)
    )
    found = packer.get(f"/pickups/{table.pool}", query_string={"q": "tom"}).text
    assert ("Ana &amp; Tomas" in found, ">Ben<" in found) == (True, False)
    at_mill = packer.get(f"/pickups/{table.pool}", query_string={"point": table.point}).text
    assert ("Ana &amp; Tomas" in at_mill, ">Ben<" in at_mill) == (True, False)
    assert "Nobody found" in packer.get(f"/pickups/{table.pool}?q=zzz").text


def test_on_the_screen_stand_fifty_households_and_on_paper_all(client_as, db):
    with db.begin() as session:
        households = [a_household(session, f"Household {n:02}", credit_minor=1_000) for n in range(1, 53)]
        pool = a_pool(session, a_season(session), "Advent pool")
        jam = an_offering(session, pool, a_product(session, an_artisan(session), "Damson jam"), price_minor=637)
        point = a_pickup_point(session)
    pickups.choose_point(db, households[0], point, by=0)
    rounds.publish(db, pool, {household: {jam: 1} for household in households}, {jam: 60})
    packer = client_as("packer")
    on_screen = packer.get(f"/pickups/{pool}").text
    assert on_screen.count('class="household"') == 50
    assert f'href="/pickups/{pool}/sheets"' in on_screen
    on_paper = packer.get(f"/pickups/{pool}/sheets").text
    assert on_paper.count('class="household"') == 52
    assert on_paper.count('class="panel sheet"') == 2, "Mill Yard, and no point chosen"
    assert packer.get(f"/pickups/{pool}/sheets?point={point}").text.count('class="household"') == 1


def test_a_packer_sees_households_and_pieces_but_no_money_and_no_address(client_as, db):
    table = Table(db)
    packer = client_as("packer")
    packer.fill(table.path, {f"pieces-{table.anas_gin}": "0"})
    for path in ("/pickups", f"/pickups/{table.pool}", table.path):
        page = packer.get(path).text.partition("<main")[2]
        assert not re.search(r"€|EUR|@|6[.,]37|38[.,]91", page), path


def test_everything_waiting_is_offered_and_ticked_with_one_press(client_as, db):
    table = Table(db)
    packer = client_as("packer")
    done = packer.fill(table.path, {"age_checked": "y"})
    assert (done.status_code, done.location) == (303, table.path)
    page = words(packer.get(table.path).text)
    assert "Everything was fetched." in page
    assert "Damson jam: 2, Hedgerow gin: 1" in page
    assert "Ana Packer1" in page  # who handed it over
    assert "all fetched" in words(packer.get(f"/pickups/{table.pool}").text)


def test_gin_asks_for_the_age_check_and_keeps_what_was_typed(client_as, db):
    table = Table(db)
    packer = client_as("packer")
    page = packer.get(table.path)
    assert "18 or over" in page.text
    assert "Needed for Hedgerow gin." in page.text
    refused = packer.fill(table.path, {f"pieces-{table.anas_jam}": "1"})
    assert refused.status_code == 422
    assert "Only for people of 18 or over: Hedgerow gin." in refused.text
    assert re.search(rf'name="pieces-{table.anas_jam}"\s+value="1"', refused.text)
    without = packer.fill(table.path, {f"pieces-{table.anas_gin}": "0"})
    assert without.status_code == 303
    with db() as session:
        assert session.scalar(text("SELECT sum(pieces) FROM hand_over_line")) == 2


def test_what_another_packer_handed_over_meanwhile_is_told_with_when_and_by_whom(client_as, db):
    table = Table(db)
    jo, kim = client_as("packer"), client_as("packer")
    shown = jo.get(table.path)
    kim.fill(table.path, {f"pieces-{table.anas_gin}": "0"})
    from tests.web.conftest import forms_of

    late = jo.post(table.path, data=forms_of(shown.text)[-1].fields | {"age_checked": "y"})
    assert late.status_code == 422
    assert "Damson jam: 2 awarded, 2 handed over already (1 December at 10:00, by Ana Packer2)" in late.text
    assert re.search(rf'name="pieces-{table.anas_gin}"\s+value="1"', late.text)  # what is still possible stays
    with db() as session:
        assert session.scalar(text("SELECT sum(pieces) FROM hand_over_line")) == 2


@pytest.mark.parametrize("typed", ["-1", "1.5", "1e3", "\uff11", "", "99999999999999999999"])
def test_what_is_no_number_of_pieces_is_refused_beside_its_line(client_as, db, typed):
    table = Table(db)
    refused = client_as("packer").fill(table.path, {f"pieces-{table.anas_jam}": typed, "age_checked": "y"})
    assert refused.status_code == 422
    assert f'id="pieces-{table.anas_jam}-error"' in refused.text


def test_nothing_is_ticked_before_it_is_published(client_as, db):
    with db.begin() as session:
        ana, pool = a_household(session, credit_minor=5000), a_pool(session, a_season(session))
        jam = an_offering(session, pool)
    rounds.order(db, pool, {ana: {jam: 2}})
    path = f"/pickups/orders/{rounds.order_of(db, rounds.lines_of(db, pool)[ana, jam])}"
    packer = client_as("packer")
    assert "Nothing can be handed over before the sharing out" in packer.get(path).text
    refused = packer.press(path, {f"pieces-{rounds.lines_of(db, pool)[ana, jam]}": "1"})
    assert refused.status_code == 422
    assert "Not shared out yet" in packer.get(f"/pickups/{pool}").text


@pytest.mark.parametrize(
    "path", ["/pickups/999999", "/pickups/orders/999999", "/pickups/999999?point=99999999999999999999"]
)
def test_what_never_was_is_unknown(client_as, path):
    assert client_as("packer").get(path).status_code == 404


def test_a_household_chooses_where_it_fetches(client_as, db):
    with db.begin() as session:
        mill, yard = a_pickup_point(session), a_pickup_point(session, "Old Yard")
    member = client_as("member")
    assert "Please choose a pickup point." in member.fill("/pickup-point").text
    assert member.fill("/pickup-point", {"point": str(yard)}).status_code == 303
    assert re.search(rf'checked[^>]*value="{yard}"', member.get("/pickup-point").text)
    assert member.fill("/pickup-point", {"point": "999999"}).status_code == 422
    assert mill != yard

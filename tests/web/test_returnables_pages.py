"""Jars come back at the table, a member sees what is at home, and the treasurer what is where."""

from __future__ import annotations

import re

import pytest
import time_machine
from sqlalchemy import text

from coop.catalog import service as catalog
from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import PICKUP, fetch


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


class Table:
    """A household fetched three of its four jams, in jars of 0.50."""

    def __init__(self, db, household_id=None):
        self.jar = catalog.add_container_type(db, "jar 0.5 l", deposit_minor=50, by=0, key="jar")
        with db.begin() as session:
            self.ana = household_id or a_household(session, "Ana & Tomas")
            rounds_credit(session, self.ana)
            self.pool = a_pool(session, a_season(session), "Advent pool")
            jam = a_product(session, an_artisan(session), container_type_id=self.jar)
            self.jam = an_offering(session, self.pool, jam)
        line = rounds.publish(db, self.pool, {self.ana: {self.jam: 4}}, {self.jam: 4})[self.ana, self.jam]
        fetch(db, line, 3)
        self.order = rounds.order_of(db, line)
        self.path = f"/pickups/orders/{self.order}"


def rounds_credit(session, household_id):
    from tests.builders import give_credit

    give_credit(session, household_id, 10_000)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


def moves(db) -> list[tuple[str, int]]:
    with db() as session:
        return [tuple(row) for row in session.execute(text("SELECT kind, pieces FROM returnable_move ORDER BY id"))]


def test_a_packer_takes_jars_back_beside_the_ticking_off(client_as, db):
    table, packer = Table(db), client_as("packer")
    assert "3 out" in words(packer.get(table.path).text)
    back = f"{table.path}/containers"
    done = packer.fill(table.path, {f"back-{table.jar}": "2"}, action=back)
    assert (done.status_code, done.location) == (303, table.path)
    assert moves(db) == [("back", 2)]
    assert "1 out" in words(packer.get(table.path).text)


@pytest.mark.parametrize("typed", ["4", "-1", "1.5", "0", ""])
def test_more_than_is_out_is_refused_and_stays_typed(client_as, db, typed):
    table, packer = Table(db), client_as("packer")
    sent = packer.fill(table.path, {f"back-{table.jar}": typed}, action=f"{table.path}/containers")
    assert sent.status_code == 422
    assert f'name="back-{table.jar}"' in sent.text
    assert f'value="{typed}"' in sent.text
    assert moves(db) == []
    if typed == "4":
        assert "jar 0.5 l: 3 out, so at most 3." in sent.text


def test_a_member_sees_the_jars_at_home(client_as, db):
    ana, ben = client_as("member"), client_as("member")
    Table(db, ana.household_id)
    page = words(ana.get("/balance/containers").text)
    assert re.search(r"jar 0.5 l 3 €0.50 deposit on each Deposited in all €1.50", page)
    assert "No jars yet" in ben.get("/balance/containers").text


def test_the_treasurer_sees_where_all_are_and_forfeits_with_a_reason(client_as, db):
    table, petra = Table(db), client_as("treasurer")
    assert re.search(r"jar 0.5 l €0.50 3 €1.50 0 never", words(petra.get("/money/containers").text))
    path = f"/money/containers/of/{table.ana}"
    assert petra.fill(path, {f"back-{table.jar}": "1", "reason": ""}).status_code == 422
    refused = petra.fill(path, {f"back-{table.jar}": "4", "reason": "Lost"})
    assert (refused.status_code, "at most 3" in refused.text, 'value="Lost"' in refused.text) == (422, True, True)
    assert petra.fill(path, {f"back-{table.jar}": "1", "reason": "Lost"}).status_code == 303
    assert "Deposit forfeited" in petra.get(path).text
    with db() as session:
        move = session.scalar(text("SELECT id FROM returnable_move"))
    undo = f"/money/containers/moves/{move}/undo"
    assert petra.fill(undo, {"reason": ""}).status_code == 422
    assert petra.fill(undo, {"reason": "It was found"}).status_code == 303
    assert petra.fill(undo, {"reason": "again"}).status_code == 422
    assert moves(db) == [("forfeited", 1), ("forfeited", -1)]


def test_the_treasurer_counts_renames_and_is_told_of_a_difference(client_as, db):
    table, petra = Table(db), client_as("treasurer")
    assert petra.fill("/money/containers/count", {f"back-{table.jar}": "-3"}).status_code == 422
    assert petra.fill("/money/containers/count", {f"back-{table.jar}": "12", "note": "found a box"}).status_code == 303
    page = words(petra.get("/money/containers").text)
    assert "12 more than expected" in page
    assert "found a box" in words(petra.get("/books/counted").text)
    assert "12 more" in words(petra.get("/books/counted").text)
    assert petra.fill(f"/money/containers/{table.jar}", {"name": "big jar"}).status_code == 303
    assert "big jar" in petra.get("/money/containers").text
    assert petra.fill("/money/containers/new", {"name": "big jar", "deposit": "1"}).status_code == 422
    for amount in ("0", "-1", "0.505", "1e3", "Infinity"):
        assert petra.fill("/money/containers/new", {"name": "other", "deposit": amount}).status_code == 422


def test_the_co_ops_rule_is_a_setting_and_one_button(client_as, db):
    Table(db)
    jun, petra = client_as("admin"), client_as("treasurer")
    assert petra.press("/money/containers/overdue").status_code == 422
    assert jun.fill("/settings", {"returnables_kept_days": "30"}).status_code == 303
    with time_machine.travel(PICKUP.replace(month=12, day=31), tick=True):
        late = client_as("treasurer")
        assert "3 pieces of 1 households" in words(late.get("/money/containers").text)
    assert moves(db) == []


def test_anothers_rows_are_unknown(client_as, db):
    petra, packer = client_as("treasurer"), client_as("packer")
    for path in ("/money/containers/of/999999", "/money/containers/999999", "/money/containers/moves/999999/undo"):
        assert petra.get(path).status_code == 404
    assert packer.get("/pickups/orders/999999").status_code == 404
    assert packer.press("/pickups/orders/999999/containers").status_code == 404

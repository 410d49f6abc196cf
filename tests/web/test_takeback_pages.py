"""Orders taken back by an admin after the cut-off: the hold is credit again, the household is told, and what is shared out stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.core.errors import RuleBroken
from coop.core.ledger import MEMBER_CREDIT, ORDER_HOLD, household_party
from coop.pools import service as pools
from coop.takebacks import service as takebacks
from tests import rounds
from tests.builders import NOW, a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import balances, lines_of, order_of


@pytest.fixture
def niamh(client_as):
    return client_as("admin")


@pytest.fixture
def town(db):
    """Ana ordered 3 jams at 5.20 and 2 mugs at 25.00 from 100.00; the cut-off has passed."""
    with db.begin() as session:
        ana, ben = (a_household(session, name, credit_minor=10_000) for name in ("Ana", "Ben"))
        pool = a_pool(session, a_season(session), "Advent pool")
        maker = an_artisan(session)
        jam = an_offering(session, pool, a_product(session, maker, "Jam"))
        mug = an_offering(session, pool, a_product(session, maker, "Mug"), price_minor=2_500)
    rounds.order(db, pool, {ana: {jam: 3, mug: 2}, ben: {jam: 1}})
    with db() as session:
        closes_at = session.get_one(pools.Pool, pool).closes_at
    pools.close_pool(db, pool, by=0, at=closes_at + timedelta(minutes=1))
    lines = lines_of(db, pool)
    return ana, pool, jam, mug, lines[ana, jam], lines[ana, mug], lines[ben, jam]


def letters(db):
    with db() as session:
        return session.execute(
            text("SELECT template, values->>'amount_minor', values->>'reason' FROM notice WHERE template = 'order_taken_back'")
        ).all()  # fmt: skip


def test_a_line_is_taken_back_and_its_hold_is_credit_again(niamh, db, town):
    ana, _, _, _, jam_line, mug_line, _ = town
    order = order_of(db, jam_line)
    path = f"/admin/orders/{order}"
    assert path in niamh.get(f"/admin/members/{ana}").text
    page = niamh.get(path).text
    # 3 x 5.20 and 2 x 25.00
    for figure in ("€15.60", "€50.00", "€65.60"):
        assert figure in page
    assert "€50.00 back" in niamh.get(f"{path}/taken-back").text
    done = niamh.fill(f"{path}/taken-back", {"lines": mug_line, "reason": "Ana rang: away that week"})
    assert (done.status_code, done.location) == (303, path)
    assert balances(db, MEMBER_CREDIT)[household_party(ana)] == 10_000 - 1_560
    assert balances(db, ORDER_HOLD)[household_party(ana)] == 1_560
    assert letters(db) == [("order_taken_back", "5000", "Ana rang: away that week")]
    assert "Mug" not in niamh.get(path).text


def test_the_whole_order_is_taken_back_at_once(niamh, db, town):
    ana, _, _, _, jam_line, mug_line, _ = town
    order = order_of(db, jam_line)
    done = niamh.fill(f"/admin/orders/{order}/taken-back", {"lines": [jam_line, mug_line], "reason": "x"})
    assert done.status_code == 303
    assert balances(db, MEMBER_CREDIT)[household_party(ana)] == 10_000
    assert letters(db) == [("order_taken_back", "6560", "x")]
    assert "Nothing of it stands" in niamh.get(f"/admin/orders/{order}").text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": "x"}, "Choose at least one line."),
        ({"lines": "jam"}, "Please fill in: Why."),
        ({"lines": "jam", "reason": "x" * 201}, "please keep to 200"),
        ({"lines": "999999", "reason": "x"}, "field-error"),
        ({"lines": "ben", "reason": "x"}, "field-error"),
    ],
)
def test_what_cannot_be_is_said(niamh, db, town, typed, sentence):
    named = {"jam": town[4], "ben": town[6]}
    sent = {name: named.get(value, value) for name, value in typed.items()}
    answer = niamh.fill(f"/admin/orders/{order_of(db, town[4])}/taken-back", sent)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert letters(db) == []


def test_what_is_shared_out_stands(niamh, db, town):
    _, pool, jam, mug, jam_line, _, _ = town
    order = order_of(db, jam_line)
    rounds.share_out(db, pool, {jam: 4, mug: 2})
    answer = niamh.fill(f"/admin/orders/{order}/taken-back", {"lines": jam_line, "reason": "x"})
    assert (answer.status_code, "so what was ordered stands" in answer.text) == (422, True)
    with pytest.raises(RuleBroken) as refused:
        takebacks.take_back(db, [jam_line], reason="x", by=0, at=NOW, key="t")
    assert refused.value.code == "too_late"
    assert "Take something back" not in niamh.get(f"/admin/orders/{order}").text


def test_it_is_for_admins_and_one_order(niamh, client_as, db, town):
    order = order_of(db, town[4])
    assert client_as("treasurer").get(f"/admin/orders/{order}").status_code == 403
    assert niamh.get("/admin/orders/999999").status_code == 404
    with pytest.raises(RuleBroken) as refused:
        takebacks.take_back(db, [town[4], town[6]], reason="x", by=0, at=NOW, key="t")
    assert refused.value.code == "not_found"

"""The treasurer's own acts from their pages: booked once, refused beside the field, and what was typed stays."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from coop.core.ledger import ADVANCE_TO_MAKER, GOODWILL, HARDSHIP_FUND, MEMBER_CREDIT, SUPPLIERS, household_party
from tests import rounds
from tests.builders import a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import balances

ACTS = ("gift", "goodwill", "refund", "chargeback")


@pytest.fixture
def petra(client_as):
    return client_as("treasurer")


@pytest.fixture
def ana(db):
    with db.begin() as session:
        return a_household(session, "Ana & Tomas", credit_minor=5_000)


def entries(db):
    with db() as session:
        return session.scalar(text("SELECT count(*) FROM entry"))


def test_each_act_is_booked_and_its_entry_stands_on_the_account(petra, db, ana):
    path = f"/money/households/{ana}"
    assert "Ana &amp; Tomas" in petra.get("/money/households?q=tomas").text
    for act, more in (("gift", {}), ("goodwill", {"reason": "A cracked mug"}), ("refund", {}), ("chargeback", {})):
        done = petra.fill(f"{path}/{act}", {"amount": "3.00"} | more)
        assert (done.status_code, done.location) == (303, path)
    assert balances(db, HARDSHIP_FUND) == {"": 300}
    assert balances(db, GOODWILL) == {"": -300}
    assert balances(db, MEMBER_CREDIT)[household_party(ana)] == 5_000 - 300 + 300 - 300 - 300
    assert "A cracked mug" in petra.get(path).text


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("amount", ["0", "-1", "0.005", "1e3", "Infinity", "١٢", "", "99999999999999"])
def test_what_is_no_amount_is_refused_and_stays_typed(petra, db, ana, act, amount):
    before = entries(db)
    sent = petra.fill(
        f"/money/households/{ana}/{act}", {"amount": amount} | ({"reason": "x"} if act == "goodwill" else {})
    )
    assert sent.status_code == 422
    assert f'value="{amount}"' in sent.text
    assert "field-error" in sent.text
    assert entries(db) == before


@pytest.mark.parametrize("act", ["gift", "refund"])
def test_no_more_credit_is_spent_than_there_is(petra, ana, act):
    sent = petra.fill(f"/money/households/{ana}/{act}", {"amount": "50.01"})
    assert (sent.status_code, "50.00 EUR of credit" in sent.text) == (422, True)


def test_goodwill_needs_a_reason(petra, ana):
    sent = petra.fill(f"/money/households/{ana}/goodwill", {"amount": "2.00", "reason": ""})
    assert (sent.status_code, 'value="2.00"' in sent.text) == (422, True)


def test_what_does_not_exist_is_unknown(petra, ana):
    for path in ("999999", f"{ana}/theft", "999999/gift"):
        assert petra.get(f"/money/households/{path}").status_code == 404
    assert petra.get("/money/suppliers/999999").status_code == 404
    assert petra.get("/money/makers/999999/advance").status_code == 404


def a_shared_pool(db):
    with db.begin() as session:
        households = [a_household(session, name, credit_minor=5_000) for name in ("Ana", "Ben", "Cleo")]
        pool = a_pool(session, a_season(session), "Advent pool")
        jam = an_offering(session, pool, a_product(session, an_artisan(session)))
    rounds.publish(db, pool, {household: {jam: n} for n, household in enumerate(households, 1)}, {jam: 6})
    return pool


def test_a_bill_is_split_before_the_eyes_and_then_booked_and_paid(petra, db):
    pool = a_shared_pool(db)
    path, typed = "/money/shared-costs/new", {"supplier": "Hughes Carriers", "amount": "10.00", "pool": pool}
    shown = petra.fill(path, typed | {"by": "pieces"})
    assert shown.status_code == 200
    assert balances(db, SUPPLIERS) == {}
    from tests.web.conftest import forms_of

    form = next(one for one in forms_of(shown.text) if "supplier" in one.fields)
    # 10.00 over 1:2:3 pieces is 1.666, 3.333, 5.0: the largest remainder goes to the first
    for part in ("€1.67", "€3.33", "€5.00"):
        assert part in shown.text
    chosen = form.fields | {"pool": pool, "by": "pieces"}
    changed = petra.post(path, data=chosen | {"amount": "12.00"})
    assert (changed.status_code, balances(db, SUPPLIERS)) == (200, {})  # looked at again, since it is another bill
    assert petra.post(path, data=chosen).status_code == 303
    assert balances(db, SUPPLIERS) == {"supplier:Hughes Carriers": 1_000}
    with db() as session:
        account = session.scalar(text("SELECT id FROM account WHERE code = 2550"))
    assert petra.fill(f"/money/suppliers/{account}", {"amount": "10.01"}).status_code == 422
    assert petra.fill(f"/money/suppliers/{account}", {"amount": "10.00"}).status_code == 303
    assert balances(db, SUPPLIERS) == {}


def test_a_maker_gets_an_advance(petra, db):
    with db.begin() as session:
        maker = an_artisan(session)
    assert petra.fill(f"/money/makers/{maker}/advance", {"amount": "-5"}).status_code == 422
    assert petra.fill(f"/money/makers/{maker}/advance", {"amount": "250.00"}).status_code == 303
    assert balances(db, ADVANCE_TO_MAKER) == {f"artisan:{maker}": -25_000}
    assert "€250.00" in petra.get("/money/suppliers").text

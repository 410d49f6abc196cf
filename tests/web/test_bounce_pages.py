"""A household's payment that the bank took back: what bears it, that it is booked once, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from coop.bounces import service as bounces
from coop.clock import now
from coop.core.errors import RuleBroken
from coop.core.ledger import (
    BANK,
    BANK_FEES,
    GOODWILL,
    HARDSHIP_FUND,
    MEMBER_CAPITAL,
    MEMBER_CREDIT,
    OWED_BY_MEMBER,
    RESERVE,
    SHARE_PREPAID,
    household_party,
)
from coop.incoming import service as incoming
from coop.instalments import service as instalments
from coop.places import service as places
from coop.treasury import service as treasury
from tests.builders import a_household, a_season, a_size
from tests.rounds import balances


@pytest.fixture
def petra(client_as):
    return client_as("treasurer")


@pytest.fixture
def ana(db):
    with db.begin() as session:
        return a_household(session, "Ana & Tomas")


def paid(db, ana, minor, purpose="credit", *, share_id=None, key="p", days_ago=3):
    said = {"amount_minor": minor, "received_on": now().date() - timedelta(days=days_ago), "reference": key}
    return incoming.record_payment(db, ana, purpose=purpose, share_id=share_id, by=0, at=now(), key=key, **said)


def bounce(browser, payment, **typed):
    sent = {"on": now().date().isoformat(), "reason": "Account closed"} | typed
    return browser.fill(f"/bank/payments/{payment}/bounced", sent)


def entry_of(db, payment):
    with db() as session:
        return session.scalar(text("SELECT entry_id FROM recorded_payment WHERE id = :id"), {"id": payment})


def test_credit_bears_it_as_far_as_it_goes_and_the_household_owes_the_rest(petra, db, ana):
    payment = paid(db, ana, 5_000)
    treasury.give_to_fund(db, ana, 2_000, by=0, at=now(), key="g")
    assert f"/bank/payments/{payment}/bounced" in petra.get("/bank/payments").text
    page = petra.get(f"/bank/payments/{payment}/bounced").text
    for figure in ("€50.00", "€30.00", "€20.00"):
        assert figure in page
    done = bounce(petra, payment, bank_fee="2.50")
    assert (done.status_code, done.location) == (303, "/bank/payments")
    party = household_party(ana)
    assert balances(db, MEMBER_CREDIT) == {}
    assert balances(db, OWED_BY_MEMBER) == {party: -2_000}
    assert (balances(db, BANK), balances(db, BANK_FEES)) == ({"": 250}, {"": -250})
    with db() as session:
        told = session.execute(text("SELECT values FROM notice WHERE template = 'payment_bounced'")).scalars().all()
    assert [(one["amount_minor"], one["owed_minor"], one["reason"]) for one in told] == [
        (5_000, 2_000, "Account closed")
    ]
    assert "taken back" in petra.get("/bank/payments").text


def test_a_share_is_to_be_paid_again_by_as_much(petra, db, ana):
    with db.begin() as session:
        size = a_size(session, a_season(session, ends=now().date() + timedelta(days=90)), price_minor=30_000)
    share = places.take_share(db, size, household_id=ana, by=0, at=now(), key="s")
    with db.begin() as session:
        instalments.plan_anew(session, share, [now().date(), now().date() + timedelta(days=30)])
    payment = paid(db, ana, 20_000, "share", share_id=share)
    # 150.00 were due and became credit, 50.00 are prepaid; 100.00 are still to pay
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 15_000}
    assert bounce(petra, payment).status_code == 303
    assert balances(db, MEMBER_CREDIT) == balances(db, SHARE_PREPAID) == balances(db, OWED_BY_MEMBER) == {}
    with db() as session:
        assert instalments.owed_by(session, {ana}) == {ana: 30_000}


def test_gifts_and_capital_are_borne_where_they_went(petra, db, ana):
    gift, capital, reserve = (paid(db, ana, 1_000, of, key=of) for of in ("gift", "capital", "reserve"))
    for payment in (gift, capital, reserve):
        assert bounce(petra, payment).status_code == 303
    for code in (HARDSHIP_FUND, MEMBER_CAPITAL, RESERVE, OWED_BY_MEMBER, GOODWILL, BANK):
        assert balances(db, code) in ({}, {"": 0}), code


def test_a_payment_bounces_once_and_is_not_reversed_besides(petra, db, ana):
    payment = paid(db, ana, 5_000)
    assert bounce(petra, payment).status_code == 303
    assert "Nothing more can be noted of it." in petra.get(f"/bank/payments/{payment}/bounced").text
    with pytest.raises(RuleBroken) as refused:
        treasury.reverse(db, entry_of(db, payment), reason="x", by=0, at=now(), key="r")
    assert refused.value.code == "not_reversible"
    other = paid(db, ana, 700, key="other")
    treasury.reverse(db, entry_of(db, other), reason="x", by=0, at=now(), key="r2")
    assert "taken back or reversed already" in petra.get(f"/bank/payments/{other}/bounced").text
    assert balances(db, MEMBER_CREDIT) == {}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": ""}, "Please fill in: Why."),
        ({"bank_fee": "-1"}, "field-error"),
        ({"bank_fee": "1e3"}, "field-error"),
        ({"on": "2026-02-30"}, "a day that exists"),
        ({"on": "tomorrow"}, "a day that exists"),
        ({"on": (now() + timedelta(days=2)).date().isoformat()}, "today or earlier"),
        ({"on": (now() - timedelta(days=9)).date().isoformat()}, "give that day or a later one"),
    ],
)
def test_what_cannot_be_is_said_and_stays_typed(petra, db, ana, typed, sentence):
    payment = paid(db, ana, 5_000)
    answer = bounce(petra, payment, **typed)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert balances(db, MEMBER_CREDIT) == {household_party(ana): 5_000}


def test_no_payment_is_taken_back_before_it_came(db, ana):
    said = {"reason": "Account closed", "by": 0, "at": now(), "key": "b"}
    with pytest.raises(RuleBroken) as refused:
        bounces.note_bounced(db, paid(db, ana, 5_000), on=now().date() - timedelta(days=4), **said)
    assert (refused.value.code, refused.value.field) == ("before_payment", "on")


def test_it_is_for_treasurers_and_for_payments_that_are_there(petra, client_as, db, ana):
    payment = paid(db, ana, 5_000)
    assert client_as("member").get(f"/bank/payments/{payment}/bounced").status_code == 403
    assert petra.get("/bank/payments/999999/bounced").status_code == 404

"""Prepaid money of season shares from its pages: seen first, booked once, told to each household; what is wrong is said beside what was typed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from coop.core.errors import RuleBroken
from coop.core.ledger import BANK, MEMBER_CREDIT, SHARE_PREPAID, household_party
from coop.instalments import service as instalments
from coop.places import service as places
from tests.builders import NOW, a_household, a_season, a_size
from tests.rounds import balances
from tests.web.conftest import forms_of


@pytest.fixture
def petra(client_as):
    return client_as("treasurer")


@pytest.fixture
def town(db):
    """Ana has prepaid 200.00 of 300.00 in three instalments to come; Ben has taken a share and paid nothing yet."""
    with db.begin() as session:
        ana, ben, cleo = (a_household(session, name) for name in ("Ana & Tomas", "Ben", "Cleo"))
        size = a_size(session, a_season(session))
    shares = {
        one: places.take_share(db, size, household_id=one, by=0, at=NOW, key=f"s{one}", price_minor=None)
        for one in (ana, ben)
    }
    with db.begin() as session:
        for share in shares.values():
            instalments.plan_anew(session, share, [date(2027, month, 1) for month in (1, 2, 3)])
        paid = {"household_id": ana, "on": NOW.date(), "key": "bank:1", "by": 0, "at": NOW}
        instalments.share_paid(session, shares[ana], 20_000, **paid)
    return ana, ben, cleo


def planned(db, household):
    with db() as session:
        asked = "SELECT i.amount_minor FROM instalment i JOIN season_share s ON s.id = i.share_id WHERE s.household_id = :h AND i.released_at IS NULL ORDER BY i.due_on"
        return list(session.scalars(text(asked), {"h": household}))


def told(db):
    with db() as session:
        asked = "SELECT address, values->>'what' FROM notice WHERE template = 'prepaid_changed' ORDER BY id"
        return [(address.partition(".")[0], what) for address, what in session.execute(text(asked))]


def sure(browser, path, typed):
    """Fill in the form, and send it again as it came back with its preview."""
    shown = browser.fill(path, typed)
    assert shown.status_code == 200, shown.text
    fields = next(one for one in forms_of(shown.text) if "amount" in one.fields).fields
    return shown, browser.post(path, data=fields | typed)


def test_prepaid_money_becomes_credit_before_its_day(petra, db, town):
    ana, _, _ = town
    path = f"/money/households/{ana}/prepaid"
    assert "€200.00" in petra.get(path).text
    shown, done = sure(petra, f"{path}/release", {"amount": "120.00", "reason": "A big winter order"})
    # 300 = 3 x 100 planned; 120 off the first ones leaves nothing of January, 80 of February
    for figure in ("€80.00", "€120.00", "Instalment of 01 Jan 2027", "Instalment of 01 Feb 2027"):
        assert figure in shown.text
    assert "Instalment of 01 Mar 2027" not in shown.text
    assert (done.status_code, done.location) == (303, path)
    assert balances(db, SHARE_PREPAID) == {household_party(ana): 8_000}
    assert balances(db, MEMBER_CREDIT)[household_party(ana)] == 12_000
    assert planned(db, ana) == [8_000, 10_000]
    assert told(db) == [("ana", "early_release")]


def test_it_goes_to_another_household_that_holds_a_share(petra, db, town):
    ana, ben, cleo = town
    path = f"/money/households/{ana}/prepaid/move"
    page = petra.get(path).text
    assert f'value="{ben}"' in page
    assert f'value="{cleo}"' not in page
    shown, done = sure(petra, path, {"amount": "200.00", "reason": "They moved away", "to": ben})
    assert "Still to pay for its shares" in shown.text
    assert done.status_code == 303
    assert balances(db, SHARE_PREPAID) == {household_party(ben): 20_000}
    assert planned(db, ana) == [10_000]
    assert told(db) == [("ana", "share_moved"), ("ben", "received")]


def test_it_is_sent_back(petra, db, town):
    ana, _, _ = town
    _, done = sure(petra, f"/money/households/{ana}/prepaid/refund", {"amount": "50.00", "reason": "A hard month"})
    assert done.status_code == 303
    assert balances(db, BANK) == {"": 5_000 - 20_000}
    assert planned(db, ana) == [5_000, 10_000, 10_000]
    assert told(db) == [("ana", "share_refund")]


def test_what_was_looked_at_is_what_is_booked(petra, db, town):
    ana, _, _ = town
    path = f"/money/households/{ana}/prepaid/release"
    shown = petra.fill(path, {"amount": "10.00", "reason": "x"})
    fields = next(one for one in forms_of(shown.text) if "amount" in one.fields).fields | {"reason": "x"}
    other = petra.post(path, data=fields | {"amount": "100.00"})
    assert (other.status_code, balances(db, MEMBER_CREDIT)) == (200, {})
    assert petra.post(path, data=fields | {"amount": "10.00"}).status_code == 303
    again = petra.post(path, data=fields | {"amount": "10.00"})
    assert (again.status_code, balances(db, MEMBER_CREDIT)) == (200, {household_party(ana): 1_000})


@pytest.mark.parametrize("act", ["release", "move", "refund"])
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"amount": "200.01"}, "more than is prepaid"),
        ({"amount": "0"}, "field-error"),
        ({"amount": "-5"}, "field-error"),
        ({"amount": "1e2"}, "field-error"),
        ({"amount": ""}, "Please give an amount."),
        ({"reason": ""}, "Please fill in: Why."),
        ({"reason": "x" * 201}, "field-error"),
    ],
)
def test_what_cannot_be_is_said_and_stays_typed(petra, db, town, act, typed, sentence):
    ana, ben, _ = town
    sent = {"amount": "5.00", "reason": "Ana asked"} | ({"to": ben} if act == "move" else {}) | typed
    answer = petra.fill(f"/money/households/{ana}/prepaid/{act}", sent)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert f'value="{sent["amount"]}"' in answer.text
    assert balances(db, SHARE_PREPAID) == {household_party(ana): 20_000}


def test_no_more_is_moved_than_the_other_household_still_has_to_pay(petra, db, town):
    ana, ben, _ = town
    with db.begin() as session:
        share = session.scalar(text("SELECT id FROM season_share WHERE household_id = :h"), {"h": ben})
        instalments.share_paid(session, share, 20_000, household_id=ben, on=NOW.date(), key="bank:2", by=0, at=NOW)
    typed = {"amount": "100.01", "reason": "x", "to": ben}
    sent = petra.fill(f"/money/households/{ana}/prepaid/move", typed)
    assert (sent.status_code, "Move at most what they still cost." in sent.text) == (422, True)
    with pytest.raises(RuleBroken) as refused:
        instalments.move_prepaid(db, ana, ben, 10_001, reason="x", by=0, at=NOW, key="m")
    assert refused.value.code == "more_than_owed"
    _, done = sure(petra, f"/money/households/{ana}/prepaid/move", typed | {"amount": "100.00"})
    assert (done.status_code, balances(db, SHARE_PREPAID)[household_party(ben)]) == (303, 30_000)


def test_a_household_without_a_share_is_no_choice(petra, db, town):
    ana, _, cleo = town
    sent = petra.fill(f"/money/households/{ana}/prepaid/move", {"amount": "5.00", "reason": "x", "to": cleo})
    assert (sent.status_code, balances(db, SHARE_PREPAID)) == (422, {household_party(ana): 20_000})


def test_what_does_not_exist_is_unknown_and_others_stay_out(petra, client_as, town):
    ana, _, _ = town
    for path in ("999999/prepaid", f"{ana}/prepaid/theft", "999999/prepaid/release"):
        assert petra.get(f"/money/households/{path}").status_code == 404
    assert client_as("member").get(f"/money/households/{ana}/prepaid").status_code == 403


def test_an_old_sign_in_is_asked_again_before_money_moves(petra, town, sign_in_age):
    sign_in_age(petra.person_id, minutes=11)
    asked = petra.get(f"/money/households/{town[0]}/prepaid/refund")
    assert (asked.status_code, asked.location.partition("?")[0]) == (303, "/confirm")

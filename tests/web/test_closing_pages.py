"""Two treasurers close a month and divide its surplus on the pages; what stands in the way, or is typed wrongly, is said there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from coop.core.ledger import Entry, bank_charged
from coop.ledger import service as ledger
from coop.pools import service as pools
from tests import rounds
from tests.builders import a_household, a_product, a_season, an_artisan, an_offering, give_credit

OCTOBER = datetime(2026, 10, 13, 10, 0, tzinfo=UTC)
WORDS = {"in_force_from": "2026-01-01", "reserve": "20", "members": "80", "makers": "0", "other": "0", "cash": "20"}


@pytest.fixture
def petra(client_as):
    return client_as("treasurer")


@pytest.fixture
def tomas(client_as):
    return client_as("treasurer")


@pytest.fixture
def ana(client_as):
    return client_as("member")


@pytest.fixture
def earned(db, ana, monkeypatch):
    """Ana fetched two mugs and Ben one in October, for 25.00 each, of which the co-op keeps a tenth."""
    monkeypatch.setattr(rounds, "NOW", OCTOBER)
    with db.begin() as session:
        ben = a_household(session, "Ben")
        for household in (ana.household_id, ben):
            give_credit(session, household, 10_000, on=date(2026, 10, 1))
        mug = a_product(session, an_artisan(session, "Mia's mugs"), "Mug")
        begins, ends = OCTOBER - timedelta(days=7), OCTOBER + timedelta(days=2)
        pool = pools.plan_pool(
            session, a_season(session), "Mugs", opens_at=begins, closes_at=ends, pickup_on=date(2026, 10, 20)
        )
        offering = an_offering(session, pool, mug, price_minor=2500)
    lines = rounds.publish(db, pool, {ana.household_id: {offering: 2}, ben: {offering: 1}}, {offering: 3})
    at = datetime(2026, 10, 20, 17, 0, tzinfo=UTC)
    rounds.fetch(db, lines[ana.household_id, offering], 2, at=at)
    rounds.fetch(db, lines[ben, offering], 1, at=at)


def ids(db, statement):
    with db() as session:
        return session.scalars(text(statement)).all()


def closed(db, petra, tomas):
    (october,) = ids(db, "SELECT id FROM period")
    assert petra.fill(f"/books/months/{october}", action=f"/books/months/{october}/closing").status_code == 303
    (decision,) = ids(db, "SELECT id FROM period_decision WHERE state = 'waiting'")
    assert tomas.fill(f"/books/months/decisions/{decision}/approval").status_code == 303
    return october


def test_a_season_is_closed_and_divided_by_two_on_the_pages(db, petra, tomas, ana, earned):
    """750 of fees: 150 to the reserve, 400 to Ana and 200 to Ben; a fifth of each in money is 80 and 40."""
    october = closed(db, petra, tomas)
    assert ">closed<" in petra.get(f"/books/months/{october}").text
    assert "No bylaw was in force" in petra.get("/books/dividends/new").text
    assert petra.fill("/books/dividends/bylaw", WORDS).status_code == 303
    preview = petra.get("/books/dividends/new").text
    assert all(figure in preview for figure in ("€7.50", "€6.00", "€1.50", "€1.20", "€4.80"))
    sent = petra.fill("/books/dividends/new", action="/books/dividends/new")
    assert sent.status_code == 303
    dividend = sent.location
    assert "a second person approves it" in petra.get(dividend).text
    assert petra.fill(f"{dividend}/approval").status_code == 403
    assert tomas.fill(f"{dividend}/approval").status_code == 303
    assert tomas.fill(f"{dividend}/payment", {"minimum": "0.50"}).location == "/books/household-payments"
    mine = ana.get("/dividends").text
    assert all(figure in mine for figure in ("€7.50", "€75.00", "€50.00", "€4.00", "€0.80", "€3.20", "on its way"))
    (payment,) = ids(db, "SELECT id FROM household_payment")
    assert petra.fill(f"/books/household-payments/{payment}").status_code == 303
    assert ">paid<" in ana.get("/dividends").text
    stakes = petra.get("/books/stakes").text
    assert "€3.20" in stakes
    assert "€1.60" in stakes
    assert "it adds up" in petra.get("/books/equation?through=2026-10-31").text


def test_what_stands_in_the_way_leads_to_where_it_is_done(db, petra):
    with db.begin() as session:
        give_credit(session, a_household(session), 500)
    (month,) = ids(db, "SELECT id FROM period")
    with db.begin() as session:
        session.execute(text("UPDATE period SET starts = '2099-01-01', ends = '2099-01-31'"))
    page = petra.get(f"/books/months/{month}").text
    assert "The month is over after 31 January 2099." in page
    assert "Ask to close this month" not in page
    assert petra.press(f"/books/months/{month}/closing").status_code == 422
    assert petra.get("/books/months/99999").status_code == 404


def test_a_month_is_opened_again_with_a_reason_by_two(db, petra, tomas, earned):
    october = closed(db, petra, tomas)
    path = f"/books/months/{october}/reopening"
    assert petra.fill(path, {"reason": " "}).status_code == 422
    assert petra.fill(path, {"reason": "a bill came late"}).status_code == 303
    (decision,) = ids(db, "SELECT id FROM period_decision WHERE state = 'waiting'")
    assert petra.fill(f"/books/months/decisions/{decision}/approval").status_code == 403
    assert petra.fill(f"/books/months/{october}", action=f"/books/months/decisions/{decision}/withdrawal").status_code == 303  # fmt: skip
    assert petra.fill(path, {"reason": "a bill came late"}).status_code == 303
    (decision,) = ids(db, "SELECT id FROM period_decision WHERE state = 'waiting'")
    assert tomas.fill(f"/books/months/decisions/{decision}/approval").status_code == 303
    assert "a bill came late" in tomas.get(f"/books/months/{october}").text
    assert ids(db, "SELECT id FROM period WHERE closed_at IS NULL") == [october]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"members": "79"}, "must make 100 %; these make 99.00 %"),
        ({"cash": "19"}, "At least 20.00 % of each dividend"),
        ({"reserve": "x"}, "Please give a percentage"),
        ({"in_force_from": "never"}, "Please give a day that exists"),
    ],
)
def test_a_bylaw_that_does_not_hold_is_said_beside_what_was_typed(db, petra, typed, said):
    answer = petra.fill("/books/dividends/bylaw", WORDS | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert all(f'value="{word}"' in answer.text for word in typed.values())
    assert ids(db, "SELECT id FROM policy WHERE name = 'dividend_bylaw'") == []


def test_a_loss_is_asked_for_as_a_loss(db, petra, tomas):
    with db.begin() as session:
        ledger.post(session, Entry("c", "charge", date(2026, 10, 1), bank_charged(150)), by=0, currency="EUR")
    closed(db, petra, tomas)
    assert "made a loss of €1.50" in petra.get("/books/dividends/new").text
    dividend = petra.fill("/books/dividends/new", action="/books/dividends/new").location
    assert tomas.fill(f"{dividend}/approval").status_code == 303
    assert "Pay it out" not in tomas.get(dividend).text


def test_an_entry_by_hand_is_written_by_one_and_let_count_by_another(db, petra, tomas):
    typed = {"reason": "VAT of October", "lines-0-account": "2400", "lines-0-debit": "3.00"}
    typed |= {"lines-1-account": "1000", "lines-1-credit": "3.00"}
    voucher = petra.fill("/books/by-hand/new", typed).location
    assert petra.fill(f"{voucher}/approval").status_code == 403
    assert tomas.fill(f"{voucher}/approval").status_code == 303
    assert ids(db, "SELECT key FROM entry") == [f"manual:{voucher.rpartition('/')[2]}"]
    assert ">booked<" in petra.get("/books/by-hand").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"lines-1-credit": "2.99"}, "out of balance by 1 minor units"),
        ({"lines-1-account": "", "lines-1-credit": ""}, "at least two postings"),
        ({"lines-1-debit": "3.00"}, "Give a debit or a credit"),
        ({"lines-1-account": ""}, "Choose the account"),
        ({"lines-1-account": "2000"}, "Not a valid choice"),
        ({"reason": ""}, "required"),
        ({"on": "2099-01-01"}, "today or earlier"),
    ],
)
def test_an_entry_by_hand_that_cannot_stand_is_kept_on_the_page(db, petra, typed, said):
    sound = {"reason": "VAT", "lines-0-account": "2400", "lines-0-debit": "3.00"}
    answer = petra.fill("/books/by-hand/new", sound | {"lines-1-account": "1000", "lines-1-credit": "3.00"} | typed)
    assert answer.status_code == 422
    assert said in answer.text or (said == "required" and "Please" in answer.text)
    assert 'value="3.00"' in answer.text
    assert ids(db, "SELECT id FROM voucher") == []


def test_capital_is_paid_in_and_bought_back(db, petra, ana):
    told = {"purpose": "capital", "amount": "30.00", "received_on": "2026-11-02", "reference": "R1"}
    path = f"/books/stakes/{ana.household_id}"
    assert petra.fill(f"/bank/payments/new/{ana.household_id}", told).status_code == 303
    assert "€30.00" in petra.get(path).text
    assert "€30.00" in ana.get("/dividends").text
    refused = petra.fill(f"{path}/buyback", {"amount": "30.01", "reason": "leaves"})
    assert refused.status_code == 422
    assert "give at most that" in refused.text
    assert petra.fill(f"{path}/buyback", {"amount": "30.00", "reason": "leaves"}).status_code == 303
    assert "bought back" in petra.get("/books/household-payments").text


def test_a_balance_that_was_counted_is_held_against_the_books(db, petra):
    with db.begin() as session:
        a_household(session, credit_minor=500)
    petra.fill("/books/counted", {"account": "1000", "on": "2026-11-25", "amount": "4.90", "note": "the bank's page"})
    assert "differs by -€0.10" in petra.get("/books/counted").text
    assert ">differs<" in petra.get("/books/health").text
    assert petra.fill("/books/counted", {"on": "2099-01-01", "amount": "1.00"}).status_code == 422


def test_members_see_none_of_the_books(ana):
    for path in ("months", "dividends", "stakes", "by-hand", "counted", "equation", "household-payments"):
        assert ana.get(f"/books/{path}").status_code == 403

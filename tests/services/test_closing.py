"""Months are closed by two people with nothing in the way, and a surplus is divided by the bylaw that was promised."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from coop.books import queries as books
from coop.closing import service
from coop.closing.queries import obstacles
from coop.core.dividend import Bylaw
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, Posting, artisan_party, bank_charged, household_party
from coop.dividends import queries as dividends_told
from coop.dividends import service as dividends
from coop.equity import service as equity
from coop.ledger import service as ledger
from coop.ledger.queries import household_balances
from tests import rounds
from tests.builders import NOW, TODAY, a_household, a_pool, a_product, a_season, an_artisan, an_offering

PETRA, TOMAS = 71, 72
"""Two treasurers."""
NOVEMBER = date(2026, 11, 30)
DECEMBER = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)
BYLAW = Bylaw(reserve_bp=2000, members_bp=8000)


def code_of(act, *args, **named):
    with pytest.raises(RuleBroken) as broken:
        act(*args, **named)
    return broken.value.code


def months(db):
    with db() as session:
        return dict(session.execute(text("SELECT ends, id FROM period ORDER BY starts")).all())


def close(db, ends=NOVEMBER, *, at=DECEMBER):
    decision = service.ask_to_close(db, months(db)[ends], by=PETRA, at=at)
    return service.approve(db, decision, by=TOMAS, at=at)


def in_the_way(db, ends=NOVEMBER, *, at=DECEMBER):
    with db() as session:
        return [one.code for one in obstacles(session, months(db)[ends], at=at)]


def post(db, key, on, *postings, kind="test"):
    with db.begin() as session:
        return ledger.post(session, Entry(key, kind, on, postings), by=0, currency="EUR")


def standing(db, code, party=""):
    with db() as session:
        asked = "SELECT coalesce(-sum(p.amount), 0) FROM posting p JOIN account a ON a.id = p.account_id WHERE a.code = :c AND a.party = :p"
        return int(session.scalar(text(asked), {"c": code, "p": party}))


def rules_broken(db):
    with db() as session:
        return {rule.id: rule.rows for rule in books.results(session) if not rule.ok}


@pytest.fixture
def earned(db):
    """Ana and Ben fetched mugs of 50.00 and 25.00 in November, of which the co-op keeps 10 %; the bank took 1.50."""
    with db.begin() as session:
        ana, ben = (a_household(session, name, credit_minor=10_000) for name in ("Ana", "Ben"))
        mia = an_artisan(session, "Mia's mugs")
        mug = a_product(session, mia, "Mug")
        pool = a_pool(session, a_season(session), "Mugs", closes_at=NOW + timedelta(days=1))
        offering = an_offering(session, pool, mug, price_minor=2500)
    lines = rounds.publish(db, pool, {ana: {offering: 2}, ben: {offering: 1}}, {offering: 3})
    at = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
    rounds.fetch(db, lines[ana, offering], 2, at=at)
    rounds.fetch(db, lines[ben, offering], 1, at=at)
    post(db, "charge", TODAY, *bank_charged(150))
    return ana, ben, mia


def adopt(db, bylaw=BYLAW, since=date(2026, 1, 1)):
    return dividends.adopt_bylaw(db, bylaw, in_force_from=since, by=PETRA, at=NOW)


def divided(db, through=NOVEMBER, *, at=DECEMBER):
    dividend = dividends.propose(db, through, by=PETRA, at=at)
    dividends.approve(db, dividend, by=TOMAS, at=at)
    return dividend


def test_a_closed_month_has_its_result_and_takes_nothing_more(db, earned):
    entry = close(db)
    with db() as session:
        closed = ledger.stored(session, entry)
    assert (closed.key, closed.business_date) == ("close:2026-11-01", NOVEMBER)
    assert closed.postings == (Posting(4000, "", 750), Posting(5200, "", -150), Posting(3900, "", -600))
    assert code_of(post, db, "late", TODAY, *bank_charged(5)) == "period_closed"
    assert code_of(post, db, "earlier", date(2026, 3, 1), *bank_charged(5)) == "period_closed"
    post(db, "next", DECEMBER.date(), *bank_charged(5))
    assert rules_broken(db) == {}


def test_a_month_is_closed_by_another_than_who_asked_and_once(db, earned):
    november = months(db)[NOVEMBER]
    decision = service.ask_to_close(db, november, by=PETRA, at=DECEMBER)
    assert code_of(service.ask_to_close, db, november, by=TOMAS, at=DECEMBER) == "decision_waits"
    assert code_of(service.approve, db, decision, by=PETRA, at=DECEMBER) == "second_person"
    entry = service.approve(db, decision, by=TOMAS, at=DECEMBER)
    assert service.approve(db, decision, by=TOMAS, at=DECEMBER) == entry
    assert code_of(service.approve, db, decision, by=73, at=DECEMBER) == "not_waiting"
    assert code_of(service.withdraw, db, decision, by=PETRA, at=DECEMBER) == "not_waiting"
    assert code_of(service.ask_to_close, db, november, by=PETRA, at=DECEMBER) == "period_closed"


def test_who_asked_may_think_again(db, earned):
    november = months(db)[NOVEMBER]
    decision = service.ask_to_close(db, november, by=PETRA, at=DECEMBER)
    service.withdraw(db, decision, by=PETRA, at=DECEMBER)
    service.withdraw(db, decision, by=PETRA, at=DECEMBER)
    assert code_of(service.approve, db, decision, by=TOMAS, at=DECEMBER) == "not_waiting"
    assert service.ask_to_close(db, november, by=TOMAS, at=DECEMBER) != decision


def test_a_month_without_income_is_closed_without_an_entry(db):
    with db.begin() as session:
        a_household(session, "Ana", credit_minor=500)
    assert close(db) is None
    assert in_the_way(db) == []


def test_what_stands_in_the_way_is_named(db, earned):
    ana, _, _ = earned
    assert in_the_way(db) == []
    assert in_the_way(db, at=datetime(2026, 11, 30, 22, 0, tzinfo=UTC)) == ["period_not_over"]
    post(db, "october", date(2026, 10, 5), *bank_charged(5))
    assert in_the_way(db) == ["earlier_open"]
    close(db, date(2026, 10, 31))
    equity_in(db, ana, 3000)
    payment = equity.buy_back(db, ana, 1000, reason="moves away", by=PETRA, at=NOW, key="k1")
    assert in_the_way(db) == ["payouts_in_transit"]
    equity.note_paid(db, payment, on=TODAY, by=PETRA, at=NOW, key="k2")
    assert in_the_way(db) == []


def equity_in(db, household, minor, on=TODAY):
    party = household_party(household)
    post(db, f"capital:{household}:{minor}", on, Posting(1000, "", minor), Posting(3000, party, -minor))


def test_money_still_held_after_the_pickup_day_stands_in_the_way(db):
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=10_000)
        pool = a_pool(session, a_season(session), "Mugs", closes_at=NOW + timedelta(days=1))
        offering = an_offering(session, pool, price_minor=2500)
    rounds.publish(db, pool, {ana: {offering: 2}}, {offering: 3})
    assert in_the_way(db) == ["open_holds"]
    november = months(db)[NOVEMBER]
    assert code_of(service.ask_to_close, db, november, by=PETRA, at=DECEMBER) == "open_holds"


def test_a_month_is_opened_again_by_two_with_a_reason_and_closed_anew(db, earned):
    november = months(db)[NOVEMBER]
    assert code_of(service.ask_to_reopen, db, november, reason="x", by=PETRA, at=DECEMBER) == "not_closed"
    close(db)
    assert code_of(service.ask_to_reopen, db, november, reason=" ", by=PETRA, at=DECEMBER) == "reason_missing"
    decision = service.ask_to_reopen(db, november, reason="a bill came late", by=PETRA, at=DECEMBER)
    assert code_of(service.approve, db, decision, by=PETRA, at=DECEMBER) == "second_person"
    service.approve(db, decision, by=TOMAS, at=DECEMBER)
    assert standing(db, 3900) == 0
    assert standing(db, 4000) == 750
    post(db, "late", TODAY, *bank_charged(50))
    with db() as session:
        assert ledger.stored(session, close(db)).key == "close:2026-11-01:2"
    assert standing(db, 3900) == 550
    assert rules_broken(db) == {}
    with db() as session:
        acts = session.scalars(text("SELECT act FROM audit_record WHERE subject_kind = 'period' ORDER BY id")).all()
    assert acts == [
        "ask_to_close_period",
        "close_period",
        "ask_to_reopen_period",
        "reopen_period",
        "ask_to_close_period",
        "close_period",
    ]


def test_a_surplus_is_divided_by_purchases(db, earned):
    """600: 120 to the reserve; 480 by 5000 : 2500 are 320 and 160; a fifth in cash is 64 and 32."""
    ana, ben, _ = earned
    adopt(db)
    close(db)
    dividend = divided(db)
    with db() as session:
        entry = session.scalar(text("SELECT entry_id FROM dividend"))
        booked = ledger.stored(session, entry)
    assert (booked.key, booked.business_date) == ("patronage:2026-11-01:2026-11-30", DECEMBER.date())
    assert booked.postings == (
        Posting(3900, "", 600),
        Posting(3200, "", -120),
        Posting(2500, household_party(ana), -64),
        Posting(3100, household_party(ana), -256),
        Posting(2500, household_party(ben), -32),
        Posting(3100, household_party(ben), -128),
    )
    assert dividends.pay_out(db, dividend, minimum_minor=50, by=PETRA, at=DECEMBER, key="pay") == 1
    assert dividends.pay_out(db, dividend, minimum_minor=50, by=PETRA, at=DECEMBER, key="pay") == 1
    assert code_of(dividends.pay_out, db, dividend, minimum_minor=0, by=PETRA, at=DECEMBER, key="p2") == "already_paid"
    assert standing(db, 2500, household_party(ana)) == standing(db, 2500, household_party(ben)) == 0
    with db() as session:
        assert household_balances(session, ben)[2000] == 10_000 - 2500 + 32
        payment = session.execute(text("SELECT id, household_id, amount_minor FROM household_payment")).one()
    assert payment[1:] == (ana, 64)
    equity.note_paid(db, payment.id, on=DECEMBER.date(), by=PETRA, at=DECEMBER, key="noted")
    assert standing(db, 2450, f"household_payment:{payment.id}") == 0
    assert rules_broken(db) == {}
    with db() as session:
        told = session.scalars(text("SELECT template FROM notice WHERE template LIKE 'dividend%'")).all()
        assert dividends_told.undivided(session).months == []
    assert told == ["dividend_decided", "dividend_decided"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE dividend_part SET cash_minor = cash_minor + 1 WHERE n = 1",
        "UPDATE dividend_part SET cash_minor = cash_minor - 1, retained_minor = retained_minor + 1 WHERE n = 1",
        "UPDATE dividend SET reserve_minor = reserve_minor - 1",
        "UPDATE dividend SET result_minor = result_minor + 1, reserve_minor = reserve_minor + 1",
        "DELETE FROM dividend_part WHERE n = 2",
        "UPDATE dividend SET ends = '2026-10-31', starts = '2026-10-01'",
    ],
)
def test_a_dividend_that_was_tampered_with_shows(db, earned, damage):
    adopt(db)
    close(db)
    dividends.pay_out(db, divided(db), minimum_minor=0, by=PETRA, at=DECEMBER, key="pay")
    assert rules_broken(db) == {}
    with db.begin() as session:
        session.execute(text(damage))
    assert rules_broken(db).keys() == {"I18"}


def test_makers_have_their_part_by_bylaw_with_their_next_payout(db, earned):
    """600: 60 to the reserve; 540 by 60 : 30 are 360 and 180; the maker earned all of it, a third in cash rounded up is 60."""
    _, _, mia = earned
    adopt(db, Bylaw(1000, 6000, 3000, 0, cash_bp=3333))
    close(db)
    dividend = divided(db)
    assert standing(db, 3100, artisan_party(mia)) == 120
    before = standing(db, 2100, artisan_party(mia))
    dividends.pay_out(db, dividend, minimum_minor=10**6, by=PETRA, at=DECEMBER, key="pay")
    assert standing(db, 2100, artisan_party(mia)) == before + 60
    assert rules_broken(db) == {}


def test_a_loss_is_borne_by_the_reserve_and_pays_nothing(db, earned):
    adopt(db)
    post(db, "big charge", TODAY, *bank_charged(1000))
    close(db)
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "no_surplus"
    loss = dividends.propose_loss(db, NOVEMBER, by=PETRA, at=DECEMBER)
    dividends.approve(db, loss, by=TOMAS, at=DECEMBER)
    assert (standing(db, 3900), standing(db, 3200)) == (0, -400)
    assert code_of(dividends.pay_out, db, loss, minimum_minor=0, by=PETRA, at=DECEMBER, key="p") == "not_posted"
    assert rules_broken(db) == {}


def test_a_dividend_needs_closed_months_a_promise_and_two_people(db, earned):
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "not_closed"
    close(db)
    assert code_of(dividends.propose, db, date(2026, 11, 15), by=PETRA, at=DECEMBER) == "not_closed"
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "no_bylaw"
    adopt(db, since=date(2026, 11, 2))
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "no_bylaw"
    adopt(db)
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "bylaw_changed"


def test_one_proposal_at_a_time_and_never_by_one_person(db, earned):
    adopt(db)
    close(db)
    assert code_of(dividends.propose_loss, db, NOVEMBER, by=PETRA, at=DECEMBER) == "no_loss"
    dividend = dividends.propose(db, NOVEMBER, by=PETRA, at=DECEMBER)
    assert code_of(dividends.propose, db, NOVEMBER, by=TOMAS, at=DECEMBER) == "decision_waits"
    assert code_of(dividends.approve, db, dividend, by=PETRA, at=DECEMBER) == "second_person"
    assert code_of(dividends.pay_out, db, dividend, minimum_minor=0, by=PETRA, at=DECEMBER, key="p") == "not_posted"
    november = months(db)[NOVEMBER]
    assert code_of(service.ask_to_reopen, db, november, reason="x", by=PETRA, at=DECEMBER) == "already_divided"
    dividends.withdraw(db, dividend, by=PETRA, at=DECEMBER)
    assert code_of(dividends.approve, db, dividend, by=TOMAS, at=DECEMBER) == "not_waiting"
    again = divided(db)
    assert dividends.approve(db, again, by=TOMAS, at=DECEMBER) > 0
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "not_closed"
    assert code_of(adopt, db, since=date(2026, 11, 20)) == "already_divided"


def test_nobody_bought_anything(db):
    adopt(db)
    post(db, "income", TODAY, Posting(1000, "", 70), Posting(4100, "", -70))
    close(db)
    assert code_of(dividends.propose, db, NOVEMBER, by=PETRA, at=DECEMBER) == "no_weights"


@pytest.mark.parametrize(
    ("bylaw", "code"),
    [(Bylaw(2000, 7000), "does_not_add_up"), (Bylaw(2000, 8000, cash_bp=1000), "cash_below_minimum")],
)
def test_a_bylaw_against_itself_or_the_law_is_not_noted(db, bylaw, code):
    assert code_of(adopt, db, bylaw) == code
    adopt(db)
    assert code_of(adopt, db) == "already_there"


def test_purchases_of_guests_are_no_base_where_the_bylaw_says_so(db, earned):
    """Only Ben holds capital: his third of the trade earned 200 of 600; of that 40 goes to the reserve, with Ana's 400."""
    _, ben, _ = earned
    equity_in(db, ben, 5000)
    adopt(db, BYLAW._replace(patrons="stake_holders"))
    close(db)
    divided(db)
    assert standing(db, 3200) == 440
    assert standing(db, 2500, household_party(ben)) + standing(db, 3100, household_party(ben)) == 160
    assert rules_broken(db) == {}


def test_capital_is_bought_back_up_to_what_is_held(db):
    with db.begin() as session:
        ana = a_household(session, "Ana")
    equity_in(db, ana, 3000)
    known = {"by": PETRA, "at": NOW}
    assert code_of(equity.buy_back, db, ana, 3001, reason="leaves", key="a", **known) == "more_than_held"
    assert code_of(equity.buy_back, db, ana, 0, reason="leaves", key="a", **known) == "must_be_positive"
    assert code_of(equity.buy_back, db, ana, 10, reason=" ", key="a", **known) == "reason_missing"
    assert code_of(equity.buy_back, db, ana, 10, reason="x", of="retained", key="a", **known) == "more_than_held"
    payment = equity.buy_back(db, ana, 3000, reason="leaves", key="b", **known)
    assert equity.buy_back(db, ana, 3000, reason="leaves", key="b", **known) == payment
    assert standing(db, 3000, household_party(ana)) == 0
    assert code_of(equity.note_paid, db, payment, on=TODAY + timedelta(days=1), key="c", **known) == "future_date"
    entry = equity.note_paid(db, payment, on=TODAY, key="d", **known)
    assert equity.note_paid(db, payment, on=TODAY, key="d", **known) == entry
    assert code_of(equity.note_paid, db, payment, on=TODAY, key="e", **known) == "payout_not_in_transit"
    assert standing(db, 1000) == 0

"""Entries by hand count once a second person says so; balances from outside are held against the books of their day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from coop.closing.queries import obstacles
from coop.core.errors import RuleBroken
from coop.core.ledger import CHART, Entry, Posting, bank_charged
from coop.core.vouchers import BY_EVENT_ONLY, VoucherLine
from coop.counted import queries as counted
from coop.counted import service as counting
from coop.equation import queries as equation
from coop.ledger import service as ledger
from coop.vouchers import queries, service
from tests.builders import NOW, TODAY, a_household, give_credit
from tests.carried import IBAN, carry_through

PETRA, TOMAS = 71, 72
TAX_PAID = (VoucherLine(2400, 300), VoucherLine(1000, -300))


def code_of(act, *args, **named):
    with pytest.raises(RuleBroken) as broken:
        act(*args, **named)
    return broken.value.code


def written(db, lines=TAX_PAID, *, on=TODAY, reason="VAT of October", key="k", by=PETRA):
    return service.write(db, lines, on=on, reason=reason, by=by, at=NOW, key=key)


def test_an_entry_by_hand_counts_once_another_person_says_so(db):
    voucher = written(db)
    assert written(db) == voucher
    assert code_of(written, db, TAX_PAID, reason="another") == "key_reused"
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM entry")) == 0
    assert code_of(service.approve, db, voucher, by=PETRA, at=NOW) == "second_person"
    entry = service.approve(db, voucher, by=TOMAS, at=NOW)
    assert service.approve(db, voucher, by=TOMAS, at=NOW) == entry
    with db() as session:
        assert ledger.stored(session, entry) == Entry(
            f"manual:{voucher}", "manual", TODAY, (Posting(2400, "", 300), Posting(1000, "", -300)), "VAT of October"
        )
        row = queries.voucher(session, voucher, TOMAS)
    assert (row.state, row.total_minor, row.is_viewers) == ("done", 300, False)
    assert code_of(service.withdraw, db, voucher, by=PETRA, at=NOW) == "not_waiting"


def test_an_entry_that_fell_never_counts(db):
    voucher = written(db)
    service.withdraw(db, voucher, by=PETRA, at=NOW)
    service.withdraw(db, voucher, by=PETRA, at=NOW)
    assert code_of(service.approve, db, voucher, by=TOMAS, at=NOW) == "not_waiting"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((VoucherLine(2400, 300), VoucherLine(1000, -299)), "does_not_balance"),
        ((VoucherLine(2400, 300),), "too_few_postings"),
        ((), "too_few_postings"),
        ((VoucherLine(2400, 0), VoucherLine(1000, 0)), "zero_amount"),
        ((VoucherLine(1234, 5), VoucherLine(1000, -5)), "unknown_account"),
        *(((VoucherLine(account, 5), VoucherLine(1000, -5)), "control_account") for account in sorted(BY_EVENT_ONLY)),
    ],
)
def test_what_may_not_be_booked_by_hand_is_not_written(db, lines, code):
    assert code_of(written, db, lines) == code
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM voucher")) == 0


def test_every_account_of_somebody_is_moved_by_its_events_alone():
    assert {code for code, kind in CHART.items() if kind.per_party} | {1050, 2600, 3900} == BY_EVENT_ONLY


def test_a_reason_a_day_that_has_come_and_an_open_month_are_asked_for(db):
    assert code_of(written, db, reason="  ") == "reason_missing"
    assert code_of(written, db, on=TODAY + timedelta(days=1)) == "future_date"
    with db.begin() as session:
        ledger.post(session, Entry("c", "bank_charge", date(2026, 10, 2), bank_charged(5)), by=0, currency="EUR")
        ledger.close_period(session, session.scalar(text("SELECT id FROM period")), by=PETRA)
    assert code_of(written, db, on=date(2026, 10, 31)) == "period_closed"
    assert code_of(written, db, on=date(2026, 9, 30)) == "period_closed"
    assert written(db) > 0


def test_a_waiting_entry_stands_in_the_way_of_closing_its_month(db):
    with db.begin() as session:
        a_household(session, credit_minor=500)
    written(db)
    with db() as session:
        november = session.scalar(text("SELECT id FROM period"))
        found = obstacles(session, november, at=datetime(2026, 12, 2, tzinfo=UTC))
    assert [(one.code, one.count) for one in found] == [("vouchers_wait", 1)]


def count(db, code, minor, *, on=TODAY, key="c", note="as the bank's page says"):
    return counting.note_balance(db, code, minor, on=on, note=note, by=PETRA, at=NOW, key=key)


def test_a_counted_balance_is_held_against_the_books_of_its_day(db):
    with db.begin() as session:
        ana = a_household(session, credit_minor=500)
        give_credit(session, ana, 70, on=TODAY - timedelta(days=3))
    count(db, 1000, 60, on=TODAY - timedelta(days=2))
    with db() as session:
        (row,) = counted.counts(session)
        assert (row.outside_minor, row.books_minor, row.differs_by_minor) == (60, 70, -10)
        bank, card, jars = counted.latest(session, today=TODAY)
    assert (bank.age_days, bank.is_old) == (2, False)
    assert (card.row, card.is_old, jars.is_old) == (None, False, False)


@pytest.mark.parametrize(("days", "is_old"), [(7, False), (8, True)])
def test_after_seven_days_a_count_is_old(db, days, is_old):
    with db.begin() as session:
        a_household(session, credit_minor=500)
    count(db, 1000, 500, on=TODAY - timedelta(days=days))
    with db() as session:
        assert counted.latest(session, today=TODAY)[0].is_old is is_old


def test_an_account_in_use_that_nobody_ever_counted_is_old(db):
    with db.begin() as session:
        a_household(session, credit_minor=500)
    with db() as session:
        bank = counted.latest(session, today=TODAY)[0]
    assert (bank.row, bank.is_old) == (None, True)


def test_what_cannot_be_a_count_is_not_noted(db):
    assert code_of(count, db, 2000, 5) == "unknown_account"
    assert code_of(count, db, 1000, 5, on=TODAY + timedelta(days=1)) == "future_date"
    assert code_of(count, db, 1000, 10**11 + 1) == "too_large"
    assert count(db, 1000, 5) == count(db, 1000, 5)
    assert code_of(count, db, 1000, 6) == "key_reused"


@pytest.fixture
def season(fresh_db):
    carry_through(fresh_db)
    return fresh_db


def test_a_statement_of_the_bank_is_a_count_as_well(season):
    """The statement opens with the 800.00 paid in, so that the books agree with where it ends."""
    with season() as session:
        (row,) = counted.counts(session)
    assert (row.source, row.differs_by_minor) == ("statement", 0)
    assert IBAN


def test_the_equation_of_a_season_is_closed(season):
    """Ana asked for 6 jams, 3 jams, 2 jams and 2 cups, Ben for 5 and 4 jams; a jam is 5.20 with 0.50 on the jar, a cup 25.00."""
    with season() as session:
        ends = session.scalar(text("SELECT ends FROM season"))
        page = equation.equation_page(session, ends, at=NOW)
        empty = equation.equation_page(session, date(2020, 1, 1), at=NOW)
    assert page.is_closed
    flow = page.season
    assert flow.is_closed
    assert flow.ordered_minor == (6 + 3 + 2 + 5 + 4) * 570 + 2 * 2500
    jams_fetched, cups_fetched = 4, 2
    gross = jams_fetched * 520 + cups_fetched * 2500
    assert flow.makers_minor + flow.fee_minor + flow.tax_minor == gross
    assert flow.deposits_minor == jams_fetched * 50
    assert (empty.has, empty.is_closed, empty.season) == ([], True, None)


def test_each_figure_of_the_equation_is_what_its_accounts_hold(season):
    """The bank has 800.00 and 7.00 less what was sent; the 7.00 nobody knows is owed."""
    with season() as session:
        page = equation.equation_page(session, date(2027, 1, 1), at=NOW)
        sent = session.scalar(text("SELECT sum(amount_minor) FROM payment WHERE settled_on IS NOT NULL"))
    assert [(one.code, one.minor) for one in page.has] == [(1000, 80_000 + 700 - sent)]
    assert {one.code: one.minor for one in page.owes}[2600] == 700
    assert page.is_closed

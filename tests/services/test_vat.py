"""What the VAT report says is what was sold and taken, rate by rate, and meets the tax account to the cent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from coop.core.ledger import BANK, TAX_PAYABLE, Entry, Posting
from coop.fees import service as fees
from coop.ledger import service as ledger
from coop.mending import service as mending
from coop.vat import queries
from coop.vat.queries import Asked, RateRow
from tests import rounds
from tests.builders import NOW, a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import PICKUP

DECEMBER = Asked(date(2026, 12, 1), date(2026, 12, 31))
LATER = PICKUP + timedelta(days=40)  # 10 January 2027


@pytest.fixture
def sold(db):
    """On 1 December Ana fetches three mugs of Mia's at 25.00 (fee 15 % with 19 % tax inside) and three jars that the co-op resells at 5.20 with 7 %."""
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=50_000)
        mia, orchard = an_artisan(session, "Mia"), an_artisan(session, "Orchard Lane")
        since = NOW - timedelta(days=9)
        fees.agree_terms(session, mia, effective_from=since, fee_bp=1500, fee_tax_bp=1900)
        fees.agree_terms(session, orchard, effective_from=since, model="resale", fee_bp=0, price_tax_bp=700)
        pool = a_pool(session, a_season(session))
        mugs = an_offering(session, pool, a_product(session, mia, "Mug"), price_minor=2500)
        jars = an_offering(
            session, pool, a_product(session, orchard, "Jam"), price_minor=520, cost_minor=400, deposit_minor=50
        )
    lines = rounds.publish(db, pool, {ana: {mugs: 4, jars: 4}}, {mugs: 4, jars: 4})
    rounds.fetch(db, lines[ana, mugs], 3)
    rounds.fetch(db, lines[ana, jars], 3)
    return lines[ana, mugs], lines[ana, jars]


def report(db, asked=DECEMBER):
    with db() as session:
        return queries.report_page(session, asked)


def test_each_rate_has_its_net_tax_and_gross(db, sold):
    page = report(db)
    # 75.00: fee 11.25, tax in it 1.796 -> 1.80; 15.60: tax in it 1.0206 -> 1.02; deposits are no sale
    rows = [RateRow("sales", 700, 1458, 102, 1560), RateRow("fees", 1900, 945, 180, 1125)]
    assert [(step.starts, step.ends, step.rows) for step in page.steps] == [(DECEMBER.since, DECEMBER.until, rows)]
    assert rounds.balances(db, TAX_PAYABLE) == {"": 282}
    account = page.account
    assert (account.before_minor, account.taxed_minor, account.otherwise_minor, account.after_minor) == (0, 282, 0, 282)


def test_what_is_put_right_is_taken_off_on_its_own_day_and_comes_back_when_taken_back(db, sold):
    mugs, jars = sold
    rounds.fetch(db, jars, 1, at=LATER)
    note = mending.credit_bad(db, mugs, 1, reason="cracked", by=0, at=LATER, key="bad")
    mending.change_fee(db, mugs, 1000, reason="agreed", by=0, at=LATER, key="fee")
    page = report(db, Asked(DECEMBER.since, date(2027, 3, 31)))
    # the fourth jar: 20.80 holds 1.36 of tax, so 0.34 more; two mugs stand: fee 5.00 with 0.80 instead of 11.25 with 1.80
    rows = [RateRow("sales", 700, 486, 34, 520), RateRow("fees", 1900, -525, -100, -625)]
    assert [(step.starts, step.rows) for step in page.steps][1:] == [(date(2027, 1, 1), rows)]
    mending.take_back_note(db, note, reason="it was not", by=0, at=LATER, key="not")
    by_quarter = report(db, Asked(DECEMBER.since, date(2027, 3, 31), "quarter"))
    # three mugs at 10 %: 7.50 with 1.20; the credited third (3.75 with 0.60) came back whole as it was booked
    assert [(step.starts, step.ends) for step in by_quarter.steps] == [
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 3, 31)),
    ]
    assert by_quarter.steps[1].rows[1] == RateRow("fees", 1900, -525 + 315, -100 + 60, -625 + 375)
    for page in (report(db), by_quarter, report(db, Asked(date(2026, 1, 1), date(2027, 12, 31), "whole"))):
        assert page.account.otherwise_minor == 0
        assert page.account.taxed_minor == sum(step.tax_minor for step in page.steps)
    assert rounds.balances(db, TAX_PAYABLE) == {"": by_quarter.account.after_minor}


def test_a_hand_over_taken_back_leaves_nothing(db, sold):
    mugs, _ = sold
    fetched = rounds.fetch(db, mugs, 1, at=LATER)
    mending.undo_hand_over(db, fetched, reason="not fetched", by=0, at=LATER, key="undo")
    page = report(db, Asked(date(2027, 1, 1), date(2027, 1, 31)))
    assert [step.rows for step in page.steps] == [[RateRow("fees", 1900, 0, 0, 0)]]


def test_what_the_tax_office_was_paid_stands_apart(db, sold):
    postings = (Posting(TAX_PAYABLE, "", 200), Posting(BANK, "", -200))
    with db.begin() as session:
        ledger.post(session, Entry("manual:9", "manual", date(2026, 12, 10), postings), by=0, currency="EUR")
    account = report(db).account
    assert (account.taxed_minor, account.otherwise_minor, account.after_minor) == (282, -200, 82)
    later = report(db, Asked(date(2027, 1, 1), date(2027, 1, 31))).account
    assert (later.before_minor, later.taxed_minor, later.after_minor) == (82, 0, 82)


def test_each_figure_is_the_sum_of_its_entries(db, sold):
    mugs, _ = sold
    mending.credit_bad(db, mugs, 1, reason="cracked", by=0, at=PICKUP, key="bad")
    with db() as session:
        page = queries.entries_page(session, DECEMBER, "fees", 1900, number=1)
        everything = list(queries.all_entries(session, DECEMBER, "fees", 1900))
        nothing = queries.entries_page(session, DECEMBER, "sales", 1900, number=1)
    assert [(row.kind, row.net_minor, row.tax_minor, row.gross_minor) for row in page.rows] == [
        ("pickup", 945, 180, 1125),
        ("credit_note", -315, -60, -375),
    ]
    assert (page.total, page.rows) == (RateRow("fees", 1900, 630, 120, 750), everything)
    assert (nothing.rows, nothing.total.gross_minor) == ([], 0)

"""What several makers and what was put right come to on statements, and what a run does with less than it was worked out from."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from coop.agreements import service as agreements
from coop.core.errors import RuleBroken
from coop.formats.iban import demo_iban
from coop.mending import service as mending
from coop.payouts import queries as payouts
from coop.payouts.models import Statement
from coop.policy import service as policy
from coop.transfers import service as transfers
from tests import rounds
from tests.builders import FIELD_KEY, a_household, a_pool, a_product, a_season, an_artisan, an_offering
from tests.rounds import PICKUP

ASKS, APPROVES = 8, 9


@pytest.fixture
def kiln(db):
    """Ana fetches three mugs at 10.01 that Mia and Tomas make, 65 % and 35 %."""
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=5000)
        mia, tomas = an_artisan(session, "Mia"), an_artisan(session, "Tomas")
        mug = a_product(session, mia, "Mug")
        policy.settle(session, "coop_iban", demo_iban("GB", 9), by=0)
        account = {"holder": "x", "by": 0, "at": PICKUP, "field_key": FIELD_KEY}
        for number, maker in enumerate((mia, tomas), 1):
            agreements.set_bank_details(session, maker, iban=demo_iban("GB", number), **account)
    agreements.share_product(db, mug, [(mia, 6500), (tomas, 3500)], by=0, key="parts")
    with db.begin() as session:
        pool = a_pool(session, a_season(session))
        mugs = an_offering(session, pool, mug, price_minor=1001)
    line = rounds.publish(db, pool, {ana: {mugs: 3}}, {mugs: 3})[ana, mugs]
    rounds.fetch(db, line, 3)
    return line, mia, tomas


def statements(db, run):
    with db() as session:
        rows = session.scalars(select(Statement).where(Statement.run_id == run).order_by(Statement.number))
        return [(row.artisan_id, row.sold_minor, row.fee_minor, row.earned_minor) for row in rows]


def test_fee_and_price_of_a_shared_piece_add_up_over_its_makers_statements(db, kiln):
    _, mia, tomas = kiln
    run = rounds.compute_payouts(db, by=ASKS, minimum_minor=0)
    # 3003 less a fee of 300.3 -> 300: 2703; 65 % is 1756.95, 35 % is 946.05 -> 1757 and 946; the fee 195 and 105
    assert statements(db, run) == [(mia, 1952, 195, 1757), (tomas, 1051, 105, 946)]
    with db() as session:
        figures = payouts.run_figures(session, run)
    assert (figures.charges, figures.fees, figures.payouts, figures.adds_up) == (3003, 300, 2703, True)


def test_a_bad_piece_stands_on_the_statement_below_zero(db, kiln):
    line, mia, tomas = kiln
    mending.credit_bad(db, line, 1, reason="cracked", by=ASKS, at=PICKUP, key="cracked")
    run = rounds.compute_payouts(db, by=ASKS, minimum_minor=0)
    # 2002 less a fee of 200.2 -> 200: 1802; 65 % is 1171.3, 35 % is 630.7 -> 1171 and 631; the fee 130 and 70
    assert statements(db, run) == [(mia, 1301, 130, 1171), (tomas, 701, 70, 631)]


def test_a_run_is_not_sent_once_less_is_owed_than_it_pays(db, kiln):
    line, *_ = kiln
    run = rounds.compute_payouts(db, by=ASKS, minimum_minor=0)
    transfers.approve(db, run, by=APPROVES, at=PICKUP)
    mending.credit_bad(db, line, 1, reason="cracked", by=ASKS, at=PICKUP, key="cracked")
    with pytest.raises(RuleBroken, match="inputs_changed"):
        transfers.make_file(db, run, by=ASKS, at=PICKUP, field_key=FIELD_KEY)


@pytest.mark.parametrize(
    ("parts", "code"),
    [([(1, 5000), (1, 5000)], "same_line_twice"), ([(2, 10_000)], "other_maker"), ([], "other_maker")],
)
def test_makers_that_cannot_be_agreed_are_refused(db, kiln, parts, code):
    _, mia, tomas = kiln
    named = [({1: mia, 2: tomas}[maker], part) for maker, part in parts]
    with db() as session:
        product = session.scalar(text("SELECT max(id) FROM product"))
    with pytest.raises(RuleBroken, match=code):
        agreements.share_product(db, product, named, by=0, key=code)

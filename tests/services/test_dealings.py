"""The treasurer's own acts: what each books, that it books it once, and what it refuses."""

import pytest
from sqlalchemy import select

from coop.books import queries as books
from coop.confirmations import service as confirmations
from coop.core.errors import RuleBroken
from coop.core.ledger import (
    ADVANCE_TO_MAKER,
    BANK,
    BANK_FEES,
    GOODWILL,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    OWED_BY_MEMBER,
    OWED_TO_MAKER,
    PAYOUT_TRANSIT,
    SUPPLIERS,
    household_party,
)
from coop.payouts.models import Payment, Statement
from coop.transfers import service as transfers
from coop.treasury import service as treasury
from tests.builders import FIELD_KEY, NOW, a_household
from tests.rounds import PICKUP, balances, compute_payouts, fetch
from tests.services.test_payouts import Coop

BY = {"by": 7, "at": NOW}


@pytest.fixture
def two(db):
    with db.begin() as session:
        return a_household(session, "Ana", credit_minor=2000), a_household(session, "Ben", credit_minor=1000)


def code_of(act, *args, **named):
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def credit(db, household_id):
    return balances(db, MEMBER_CREDIT).get(household_party(household_id), 0)


def test_a_gift_moves_credit_to_the_fund_once(db, two):
    ana, _ = two
    first = treasury.give_to_fund(db, ana, 300, key="g1", **BY)
    assert treasury.give_to_fund(db, ana, 300, key="g1", **BY) == first
    assert code_of(treasury.give_to_fund, db, ana, 400, key="g1", **BY) == "key_reused"
    assert (credit(db, ana), balances(db, HARDSHIP_FUND)) == (1700, {"": 300})


def test_nobody_gives_or_takes_out_more_than_their_credit(db, two):
    _, ben = two
    assert code_of(treasury.give_to_fund, db, ben, 1001, key="g", **BY) == "insufficient_credit"
    assert code_of(treasury.refund_credit, db, ben, 1001, key="r", **BY) == "insufficient_credit"
    assert code_of(treasury.refund_credit, db, ben, 0, key="r", **BY) == "must_be_positive"
    treasury.refund_credit(db, ben, 1000, key="r", **BY)
    assert credit(db, ben) == 0


def test_goodwill_is_the_co_ops_own_expense_and_says_why(db, two):
    ana, _ = two
    assert code_of(treasury.show_goodwill, db, ana, 50, reason=" ", key="w", **BY) == "reason_missing"
    treasury.show_goodwill(db, ana, 50, reason="a long wait", key="w", **BY)
    assert (credit(db, ana), balances(db, GOODWILL)) == (2050, {"": -50})


def test_a_bill_that_grew_by_a_cent_is_reversed_and_split_anew(db, two):
    ana, ben = two
    with db.begin() as session:
        cem = a_household(session, "Cem", credit_minor=100)
    among = [(ana, 6), (ben, 6), (cem, 2)]
    bill = treasury.share_cost(db, "carrier", 10, among=among, key="k1", **BY)
    assert [credit(db, one) for one, _ in among] == [1996, 996, 98]
    treasury.reverse(db, bill, reason="the bill grew", key="v1", **BY)
    treasury.share_cost(db, "carrier", 11, among=among, key="k2", **BY)
    assert [credit(db, one) for one, _ in among] == [1995, 995, 99]
    assert code_of(treasury.pay_supplier, db, "carrier", 12, key="p", **BY) == "more_than_owed"
    treasury.pay_supplier(db, "carrier", 11, key="p", **BY)
    assert balances(db, SUPPLIERS) == {}


def test_an_entry_is_reversed_once_and_only_where_nothing_else_speaks_of_it(db, two):
    ana, _ = two
    gift = treasury.give_to_fund(db, ana, 300, key="g", **BY)
    undone = treasury.reverse(db, gift, reason="a slip", key="v", **BY)
    assert credit(db, ana) == 2000
    assert code_of(treasury.reverse, db, gift, reason="again", key="v2", **BY) == "already_reversed"
    assert code_of(treasury.reverse, db, undone, reason="back", key="v3", **BY) == "not_reversible"


def test_a_chargeback_takes_the_credit_there_is_and_the_rest_is_owed(db, two):
    _, ben = two
    treasury.charge_back(db, ben, 1500, bank_fee=300, key="c", **BY)
    owes = {household_party(ben): -500}
    assert (credit(db, ben), balances(db, OWED_BY_MEMBER), balances(db, BANK_FEES)) == (0, owes, {"": -300})
    assert balances(db, BANK) == {"": 1500 + 300 - 3000}


def test_an_advance_is_recouped_from_the_next_payout_at_most_by_its_part(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)  # 7500 less 10 % = 6750
    treasury.pay_advance(db, coop.mia, 3000, key="y", **BY)
    run_id = compute_payouts(db, by=1, recoup_bp=3000)
    assert code_of(confirm, db, key="early") == "payout_not_in_transit"
    transfers.approve(db, run_id, by=2, at=PICKUP)
    transfers.make_file(db, run_id, by=1, at=PICKUP, field_key=FIELD_KEY)
    assert balances(db, ADVANCE_TO_MAKER) == {f"artisan:{coop.mia}": -(3000 - 2025)}
    assert list(balances(db, PAYOUT_TRANSIT).values()) == [6750 - 2025]
    assert confirm(db, key="s") == confirm(db, key="s")
    assert code_of(confirm, db, key="s2") == "payout_not_in_transit"
    back = {"on": PICKUP.date(), "by": 1, "at": PICKUP}
    confirmations.take_back(db, payment_of(db), bank_fee=150, key="x", **back)
    assert code_of(confirmations.take_back, db, payment_of(db), key="x2", **back) == "payout_not_settled"
    assert (balances(db, BANK_FEES), balances(db, OWED_TO_MAKER)) == ({"": -150}, {f"artisan:{coop.mia}": 4725})
    with db() as session:
        assert [rule.id for rule in books.results(session) if not rule.ok] == []


def test_a_maker_that_a_run_holds_stays_owed(db):
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    fetch(db, coop.anas_jam, 2)
    compute_payouts(db, by=1, held=[coop.mia], minimum_minor=0)
    with db() as session:
        assert session.scalars(select(Statement.artisan_id)).all() == [coop.orchard]


def payment_of(db):
    with db() as session:
        return session.scalars(select(Payment.id)).one()


def confirm(db, *, key):
    return confirmations.confirm(db, payment_of(db), on=PICKUP.date(), by=1, at=PICKUP, key=key)

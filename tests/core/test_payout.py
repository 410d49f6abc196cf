"""A hand-over earns to the cent on the cumulated pieces; a payout sets off, recoups and sends."""

from datetime import date
from itertools import accumulate, pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.core.ledger import (
    BANK,
    BANK_FEES,
    COST_OF_GOODS,
    DEPOSITS_HELD,
    FEE_INCOME,
    ORDER_HOLD,
    OWED_BY_MAKER,
    OWED_TO_MAKER,
    PAYOUT_TRANSIT,
    SALES_INCOME,
    TAX_PAYABLE,
    Entry,
)
from coop.core.payout import (
    IMPORTED_TERMS,
    Earned,
    HandedOver,
    Line,
    Model,
    Settlement,
    Standing,
    Terms,
    earned_by,
    earned_in_total,
    handed_over,
    makers_parts,
    payout_rejected,
    payout_returned,
    payout_sent,
    payout_settled,
    settle,
)

DAY = date(2026, 12, 1)
ANA, MIA, TOMAS, PAYMENT = "household:1", "artisan:1", "artisan:2", "payment:1"
BASIS = st.integers(0, 10_000)
TERMS = st.builds(Terms, st.sampled_from(Model), BASIS, BASIS, BASIS)
PRICES = st.integers(0, 10**6)


def earned_at(before, now, unit, deposit, terms, cost_minor=0):
    """What pieces earn on a line of which some were handed over before."""
    there = earned_in_total(before, unit, deposit, terms, cost_minor)
    stands = Standing(before, there.fee, there.fee_tax + there.price_tax, there.net)
    return earned_by(Line(unit, deposit, terms, cost_minor), stands, now)


def sold(pieces, unit, *, fee_bp, fee_tax_bp=0, before=0, deposit=0):
    return earned_at(before, pieces, unit, deposit, Terms(Model.AGENT, fee_bp, fee_tax_bp))


def test_the_plain_path_of_case_c01():
    assert sold(3, 2500, fee_bp=1500) == Earned(gross=7500, deposit=0, fee=1125, fee_tax=0, price_tax=0, net=6375)


def test_the_fees_of_a_short_batch_in_case_c03():
    parts = [sold(pieces, 1999, fee_bp=1200) for pieces in (4, 2, 1)]
    assert [part.fee for part in parts] == [960, 480, 240]
    assert sum(part.net for part in parts) == 12313


def test_tax_inside_the_fee_is_computed_per_line_in_case_c16():
    parts = [sold(pieces, 2500, fee_bp=1500, fee_tax_bp=1900) for pieces in (3, 1)]
    assert [(part.fee, part.fee_tax) for part in parts] == [(1125, 180), (375, 60)]


def test_currencies_of_none_and_three_decimals_in_cases_c21_and_c22():
    assert sold(1, 1999, fee_bp=1200).net == 1759
    assert sold(1, 12345, fee_bp=1250).net == 10802


def test_in_resale_the_coop_owes_the_cost_and_the_tax_inside_the_price():
    part = earned_at(0, 3, 2380, 0, Terms(Model.RESALE, 1500, 0, 1900), cost_minor=1200)
    assert part == Earned(gross=7140, deposit=0, fee=0, fee_tax=0, price_tax=1140, net=3600)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), PRICES, PRICES, TERMS, PRICES)
def test_piece_by_piece_or_at_once_a_line_earns_the_same(steps, unit, deposit, terms, cost):
    marks = [0, *accumulate(steps)]
    parts = [earned_at(before, after - before, unit, deposit, terms, cost) for before, after in pairwise(marks)]
    assert Earned(*map(sum, zip(*parts, strict=True))) == earned_in_total(sum(steps), unit, deposit, terms, cost)


@given(st.integers(0, 50), st.integers(1, 50), PRICES, PRICES, TERMS)
def test_pieces_that_come_back_undo_what_they_earned(before, now, unit, deposit, terms):
    there = earned_at(before, now, unit, deposit, terms)
    back = earned_at(before + now, -now, unit, deposit, terms)
    assert [there_part + back_part for there_part, back_part in zip(there, back, strict=True)] == [0] * 6


@given(st.integers(0, 10**6), PRICES, BASIS)
def test_the_fee_is_the_nearest_cent_and_the_maker_gets_the_rest(pieces, unit, fee_bp):
    part = earned_in_total(pieces, unit, 0, Terms(Model.AGENT, fee_bp))
    assert abs(part.fee * 10_000 - part.gross * fee_bp) * 2 <= 10_000
    assert part.fee + part.net == part.gross


def test_several_makers_share_by_basis_points_and_the_odd_cent_goes_to_the_first():
    assert makers_parts(101, [5000, 5000], [0, 0]) == [51, 50]
    assert makers_parts(102, [5000, 5000], [51, 50]) == [0, 1]
    assert makers_parts(0, [5000, 5000], [51, 51]) == [-51, -51]
    for parts_bp in ([5000, 4999], [10_000, 0]):
        with pytest.raises(RuleBroken, match="does_not_add_up"):
            makers_parts(100, parts_bp, [0, 0])


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6), st.integers(1, 9_999))
def test_makers_parts_add_up_over_all_handovers(nets, first_bp):
    parts_bp, stands = [first_bp, 10_000 - first_bp], [0, 0]
    for net in accumulate(nets):
        booked = makers_parts(net, parts_bp, stands)
        stands = [standing + part for standing, part in zip(stands, booked, strict=True)]
        assert sum(stands) == net
    assert stands == makers_parts(sum(nets), parts_bp, [0, 0])


def test_a_handover_with_deposit_and_two_makers_posts_per_line_and_sums_the_coops_part():
    lines = [
        HandedOver(ANA, 11, Model.AGENT, sold(3, 2500, fee_bp=1500, fee_tax_bp=1900, deposit=100), [(MIA, 6375)]),
        HandedOver(ANA, 12, Model.AGENT, sold(1, 2500, fee_bp=1500, fee_tax_bp=1900), [(MIA, 1063), (TOMAS, 1062)]),
    ]
    assert handed_over(lines) == (
        (ORDER_HOLD, ANA, 7800, 11),
        (DEPOSITS_HELD, ANA, -300, 11),
        (OWED_TO_MAKER, MIA, -6375, 11),
        (ORDER_HOLD, ANA, 2500, 12),
        (OWED_TO_MAKER, MIA, -1063, 12),
        (OWED_TO_MAKER, TOMAS, -1062, 12),
        (FEE_INCOME, "", -1260, None),
        (TAX_PAYABLE, "", -240, None),
    )


def test_a_resale_line_posts_sales_tax_and_cost_of_goods():
    part = earned_at(0, 3, 2380, 0, Terms(Model.RESALE, 0, 0, 1900), cost_minor=1200)
    assert handed_over([HandedOver(ANA, 11, Model.RESALE, part, [(MIA, 3600)])]) == (
        (ORDER_HOLD, ANA, 7140, 11),
        (OWED_TO_MAKER, MIA, -3600, 11),
        (SALES_INCOME, "", -6000, None),
        (TAX_PAYABLE, "", -1140, None),
        (COST_OF_GOODS, "", 3600, None),
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), PRICES, PRICES, TERMS, PRICES), min_size=1, max_size=5))
def test_whatever_is_handed_over_balances(lines):
    handed = []
    for line_id, (before, now, unit, deposit, terms, cost) in enumerate(lines):
        part = earned_at(before, now, unit, deposit, terms, cost)
        handed.append(HandedOver(ANA, line_id, terms.model, part, [(MIA, part.net)]))
    postings = handed_over(handed)
    assert sum(posting.amount for posting in postings) == 0
    if postings and sum(abs(posting.amount) for posting in postings) < 10**11:
        Entry("pickup:1", "pickup", DAY, postings)


def test_an_advance_is_recouped_at_30_percent_until_it_is_gone_in_case_c27():
    first = settle(18000, advance=10000, recoup_bp=3000)
    assert first == Settlement(set_off=0, recouped=5400, sent=12600, kept=0, reason="sent")
    assert settle(18000, advance=4600, recoup_bp=3000) == Settlement(0, 4600, 13400, 0, "sent")


def test_what_the_maker_owes_is_set_off_first_and_recouping_is_rounded_down():
    assert settle(1000, owed_by_maker=300, advance=999, recoup_bp=3333) == Settlement(300, 233, 467, 0, "sent")
    assert settle(200, owed_by_maker=300) == Settlement(200, 0, 0, 0, "used_up")
    assert settle(200, advance=300, recoup_bp=10_000) == Settlement(0, 200, 0, 0, "used_up")


def test_the_minimum_from_both_sides():
    assert settle(1000, minimum=1000) == Settlement(0, 0, 1000, 0, "sent")
    assert settle(999, minimum=1000) == Settlement(0, 0, 0, 999, "below_minimum")
    assert settle(1300, owed_by_maker=300, advance=50, recoup_bp=1000, minimum=1000) == Settlement(
        300, 0, 0, 1000, "below_minimum"
    )


def test_a_held_makers_money_stays_and_nothing_owed_sends_nothing():
    assert settle(1000, owed_by_maker=300, held=True) == Settlement(0, 0, 0, 1000, "held")
    assert settle(0, advance=10, recoup_bp=5000) == Settlement(0, 0, 0, 0, "nothing_owed")


@given(PRICES, PRICES, PRICES, BASIS, PRICES, st.booleans())
def test_a_settlement_accounts_for_all_that_was_owed(owed, owed_by, advance, recoup_bp, minimum, held):
    done = settle(owed, owed_by_maker=owed_by, advance=advance, recoup_bp=recoup_bp, minimum=minimum, held=held)
    assert done.set_off + done.recouped + done.sent + done.kept == owed
    assert min(done[:4]) >= 0
    assert done.set_off <= owed_by
    assert done.recouped <= advance
    postings = payout_sent(MIA, PAYMENT, done)
    assert sum(posting.amount for posting in postings) == 0
    assert len(postings) != 1


def test_a_payout_goes_out_and_may_come_back():
    assert payout_sent(MIA, PAYMENT, Settlement(300, 0, 700, 0, "sent")) == (
        (OWED_TO_MAKER, MIA, 1000, None),
        (OWED_BY_MAKER, MIA, -300, None),
        (PAYOUT_TRANSIT, PAYMENT, -700, None),
    )
    assert payout_settled(PAYMENT, 700) == ((PAYOUT_TRANSIT, PAYMENT, 700, None), (BANK, "", -700, None))
    assert payout_rejected(MIA, PAYMENT, 700) == (
        (PAYOUT_TRANSIT, PAYMENT, 700, None),
        (OWED_TO_MAKER, MIA, -700, None),
    )
    assert payout_returned(MIA, 700) == ((BANK, "", 700, None), (OWED_TO_MAKER, MIA, -700, None))
    assert payout_returned(MIA, 700, bank_fee=150)[2:] == ((BANK_FEES, "", 150, None), (BANK, "", -150, None))


def test_a_hundred_thousand_lines_are_computed_in_a_blink():
    sales = [(Line(495 + line % 3000, 0, IMPORTED_TERMS), 1 + line % 40) for line in range(100_000)]
    started = process_time()
    net = sum(earned_by(line, Standing(), pieces).net for line, pieces in sales)
    assert net > 0
    assert process_time() - started < 1.5

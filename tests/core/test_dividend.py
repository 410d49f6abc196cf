"""A surplus is divided to the cent, in the order of the rule: reserve half up, the rest by trade, cash rounded up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.dividend import (
    PATRONS,
    Bylaw,
    Division,
    Part,
    Trade,
    check_bylaw,
    divide,
    dividend_credited,
    dividend_sent,
    loss_covered,
    result_closed,
    surplus_divided,
)
from coop.core.errors import RuleBroken
from coop.core.ledger import Posting

ANA, BEN, CEM, DIA = (f"household:{n}" for n in range(1, 5))
MIA = "artisan:1"


def test_the_worked_example_of_four_members():
    """Fees of 10001: a fifth is 2000.2, so 2000; 8001 by 40000 : 30000 : 20005 : 10000; a fifth of each in cash, rounded up."""
    trades = [Trade(ANA, 40_000), Trade(BEN, 30_000), Trade(CEM, 20_005), Trade(DIA, 10_000)]
    assert divide(10_001, Bylaw(2000, 8000), trades) == Division(
        10_001,
        0,
        2000,
        0,
        (
            Part(ANA, 40_000, 3200, 640, 2560),
            Part(BEN, 30_000, 2400, 480, 1920),
            Part(CEM, 20_005, 1601, 321, 1280),
            Part(DIA, 10_000, 800, 160, 640),
        ),
        (),
    )


def test_the_worked_example_of_two_members_and_its_postings():
    """795: 159 to the reserve, 636 by 5000 : 2500, of which 85 and 43 in cash: 42 of 212 would be less than a fifth."""
    division = divide(795, Bylaw(2000, 8000), [Trade(ANA, 5000), Trade(BEN, 2500)])
    assert surplus_divided(division) == (
        Posting(3900, "", 795),
        Posting(3200, "", -159),
        Posting(2500, ANA, -85),
        Posting(3100, ANA, -339),
        Posting(2500, BEN, -43),
        Posting(3100, BEN, -169),
    )


def test_makers_and_other_purposes_have_their_parts_of_what_the_reserve_leaves():
    """1001: 30 % is 300.3, so 300; the 701 left by 40 : 20 : 10 are 400.57, 200.29, 100.14: the odd one to the members."""
    bylaw = Bylaw(3000, 4000, 2000, 1000, cash_bp=5000)
    division = divide(1001, bylaw, [Trade(ANA, 10)], [Trade(MIA, 7)])
    assert (division.reserve, division.other) == (300, 100)
    assert division.members == (Part(ANA, 10, 401, 201, 200),)
    assert division.makers == (Part(MIA, 7, 200, 100, 100),)


def test_what_strangers_trade_earned_goes_to_the_reserve():
    """A quarter of the trade was strangers': 250 of 1000; a fifth of the other 750 is 150."""
    division = divide(1000, Bylaw(2000, 8000), [Trade(ANA, 300)], outside=100)
    assert (division.from_outside, division.reserve) == (250, 400)
    assert division.members == (Part(ANA, 300, 600, 120, 480),)


def test_who_gave_everything_back_gets_nothing():
    division = divide(100, Bylaw(0, 10_000), [Trade(ANA, -40), Trade(BEN, 60), Trade(CEM, 0)])
    assert division.members == (Part(BEN, 60, 100, 20, 80),)


def test_a_reserve_that_takes_all_needs_nobody():
    division = divide(77, Bylaw(10_000, 0), [])
    assert surplus_divided(division) == (Posting(3900, "", 77), Posting(3200, "", -77))


@pytest.mark.parametrize("result", [0, -1, -5000])
def test_without_a_surplus_nothing_is_divided(result):
    with pytest.raises(RuleBroken) as broken:
        divide(result, Bylaw(2000, 8000), [Trade(ANA, 10)])
    assert broken.value.code == "no_surplus"


@pytest.mark.parametrize("trades", [[], [Trade(ANA, 0)], [Trade(ANA, -5)]])
def test_without_trade_there_is_nobody_to_divide_among(trades):
    with pytest.raises(RuleBroken) as broken:
        divide(100, Bylaw(2000, 8000), trades)
    assert broken.value.code == "no_weights"


@pytest.mark.parametrize(
    ("bylaw", "code"),
    [
        (Bylaw(2000, 7999), "does_not_add_up"),
        (Bylaw(2000, 8001), "does_not_add_up"),
        (Bylaw(2000, 8000, cash_bp=1999), "cash_below_minimum"),
        (Bylaw(-1, 10_001), "bad_rate"),
        (Bylaw(2000, 8000, cash_bp=10_001), "bad_rate"),
        (Bylaw(2000, 8000, patrons="friends"), "unknown_patrons"),
    ],
)
def test_a_bylaw_is_held_against_itself_and_the_law(bylaw, code):
    with pytest.raises(RuleBroken) as broken:
        check_bylaw(bylaw)
    assert broken.value.code == code


def test_bylaws_at_their_bounds_stand():
    for patrons in PATRONS:
        check_bylaw(Bylaw(0, 10_000, cash_bp=2000, patrons=patrons))
    check_bylaw(Bylaw(2500, 2500, 2500, 2500, cash_bp=10_000))
    check_bylaw(Bylaw(2000, 8000, cash_bp=0), cash_minimum_bp=0)


@given(
    result=st.integers(1, 10**9),
    shares=st.tuples(*[st.integers(0, 5)] * 4).filter(any),
    cash_bp=st.integers(2000, 10_000),
    bought=st.lists(st.integers(1, 10**7), min_size=1, max_size=9),
    outside=st.integers(0, 10**7),
)
def test_nothing_is_lost_and_cash_is_never_short(result, shares, cash_bp, bought, outside):
    parts_bp = [10_000 * share // sum(shares) for share in shares]
    parts_bp[0] += 10_000 - sum(parts_bp)
    trades = [Trade(f"household:{n}", minor) for n, minor in enumerate(bought)]
    division = divide(result, Bylaw(*parts_bp, cash_bp=cash_bp), trades, [Trade(MIA, 1)], outside=outside)
    assert division.reserve + division.other + sum(part.amount for part in division.parts) == result
    assert sum(posting.amount for posting in surplus_divided(division)) == 0
    for part in division.parts:
        assert part.cash + part.retained == part.amount
        assert part.cash * 10_000 >= part.amount * cash_bp
        assert (part.cash - 1) * 10_000 < part.amount * cash_bp


def test_income_and_expense_are_emptied_into_the_result():
    """945 of fees less 150 of bank charges leave 795."""
    assert result_closed({4000: -945, 5200: 150, 5300: 0}) == (
        Posting(4000, "", 945),
        Posting(5200, "", -150),
        Posting(3900, "", -795),
    )
    assert result_closed({4000: -150, 5200: 150}) == (Posting(4000, "", 150), Posting(5200, "", -150))
    assert result_closed({}) == ()


def test_a_loss_is_borne_by_the_reserve():
    assert loss_covered(150) == (Posting(3200, "", 150), Posting(3900, "", -150))


def test_cash_goes_to_the_bank_to_credit_or_on_the_makers_next_payout():
    assert dividend_sent(ANA, "household_payment:1", 85) == (
        Posting(2500, ANA, 85),
        Posting(2450, "household_payment:1", -85),
    )
    assert dividend_credited(ANA, 85) == (Posting(2500, ANA, 85), Posting(2000, ANA, -85))
    assert dividend_credited(MIA, 85) == (Posting(2500, MIA, 85), Posting(2100, MIA, -85))

"""An entry balances or cannot be made; a reversal mirrors it; each event of a member's money posts what the chart says."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.core.ledger import (
    BANK,
    CHART,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    ORDER_HOLD,
    SHARE_PREPAID,
    AccountType,
    Entry,
    Freed,
    HoldChange,
    Posting,
    credit_paid_in,
    held_for_order,
    household_party,
    instalment_released,
    released_from_hold,
    season_share_paid,
)
from coop.core.money import AMOUNT_LIMIT

DAY = date(2026, 12, 1)
ANA, BEN = household_party(1), household_party(2)


def entry(*postings, key="order:1", **others):
    return Entry(key, "order", DAY, tuple(postings), **others)


def test_the_chart_has_one_side_and_one_name_for_each_account():
    assert len({kind.slug for kind in CHART.values()}) == len(CHART)
    assert CHART[BANK].normal_sign == 1
    assert CHART[MEMBER_CREDIT].normal_sign == -1
    assert {code for code, kind in CHART.items() if kind.type is AccountType.INCOME} == {4000, 4010, 4100}
    assert {code for code, kind in CHART.items() if kind.may_not_overdraw} == {
        *(1150, 1160, 1170, 2000, 2010, 2020, 2100, 2200, 2300, 2450, 2500, 2550, 2600, 3000, 3100)
    }


@pytest.mark.parametrize(
    ("code", "postings"),
    [
        ("too_few_postings", [Posting(BANK, "", 5)]),
        ("too_few_postings", []),
        ("zero_amount", [Posting(BANK, "", 0), Posting(MEMBER_CREDIT, ANA, 0)]),
        ("unknown_account", [Posting(BANK, "", 5), Posting(9999, "", -5)]),
        ("wrong_party", [Posting(BANK, ANA, 5), Posting(MEMBER_CREDIT, ANA, -5)]),
        ("wrong_party", [Posting(BANK, "", 5), Posting(MEMBER_CREDIT, "", -5)]),
        ("does_not_balance", [Posting(BANK, "", 5), Posting(MEMBER_CREDIT, ANA, -4)]),
        ("too_large", [Posting(BANK, "", AMOUNT_LIMIT + 1), Posting(MEMBER_CREDIT, ANA, -AMOUNT_LIMIT - 1)]),
    ],
)
def test_an_entry_that_is_wrong_cannot_be_made(code, postings):
    with pytest.raises(RuleBroken) as refused:
        entry(*postings)
    assert refused.value.code == code


def test_an_entry_may_move_exactly_the_limit():
    assert entry(*season_share_paid(ANA, AMOUNT_LIMIT)).postings[0].amount == AMOUNT_LIMIT


def test_a_share_is_paid_and_its_first_instalment_becomes_credit():
    assert season_share_paid(ANA, 30000) == ((BANK, "", 30000, None), (SHARE_PREPAID, ANA, -30000, None))
    assert instalment_released(ANA, 10000) == ((SHARE_PREPAID, ANA, 10000, None), (MEMBER_CREDIT, ANA, -10000, None))


def test_one_opening_entry_tops_up_everybody():
    assert credit_paid_in({ANA: 7500, BEN: 0, "household:3": 2500}) == (
        (BANK, "", 10000, None),
        (MEMBER_CREDIT, ANA, -7500, None),
        (MEMBER_CREDIT, "household:3", -2500, None),
    )


def test_an_order_moves_credit_into_a_hold_line_by_line():
    assert held_for_order(ANA, [HoldChange(11, 7500), HoldChange(12, 5000)]) == (
        (MEMBER_CREDIT, ANA, 12500, None),
        (ORDER_HOLD, ANA, -7500, 11),
        (ORDER_HOLD, ANA, -5000, 12),
    )


def test_an_edit_posts_only_what_changes():
    assert held_for_order(ANA, [HoldChange(11, -2500), HoldChange(12, 0), HoldChange(13, 4000)]) == (
        (MEMBER_CREDIT, ANA, 1500, None),
        (ORDER_HOLD, ANA, 2500, 11),
        (ORDER_HOLD, ANA, -4000, 13),
    )
    assert held_for_order(ANA, [HoldChange(11, -2500), HoldChange(13, 2500)]) == (
        (ORDER_HOLD, ANA, 2500, 11),
        (ORDER_HOLD, ANA, -2500, 13),
    )
    assert held_for_order(ANA, [HoldChange(11, 0)]) == ()


def test_short_pieces_return_in_one_sum_a_household():
    assert released_from_hold([Freed(ANA, 11, 2500), Freed(BEN, 21, 100), Freed(ANA, 12, 700), Freed(BEN, 22, 0)]) == (
        (ORDER_HOLD, ANA, 2500, 11),
        (ORDER_HOLD, BEN, 100, 21),
        (ORDER_HOLD, ANA, 700, 12),
        (MEMBER_CREDIT, ANA, -3200, None),
        (MEMBER_CREDIT, BEN, -100, None),
    )


def test_the_fund_pays_its_part_into_a_hold_and_gets_it_back_with_the_short_pieces():
    assert held_for_order(ANA, [HoldChange(11, 2000, 500)]) == (
        (MEMBER_CREDIT, ANA, 1500, None),
        (ORDER_HOLD, ANA, -2000, 11),
        (HARDSHIP_FUND, "", 500, 11),
    )
    assert released_from_hold([Freed(ANA, 11, 1000, 250), Freed(BEN, 21, 1000, -200)]) == (
        (ORDER_HOLD, ANA, 1000, 11),
        (HARDSHIP_FUND, "", -250, 11),
        (ORDER_HOLD, BEN, 1000, 21),
        (HARDSHIP_FUND, "", 200, 21),
        (MEMBER_CREDIT, ANA, -750, None),
        (MEMBER_CREDIT, BEN, -1200, None),
    )


def test_a_reversal_mirrors_the_stored_postings_and_cannot_be_reversed_itself():
    booked = entry(*held_for_order(ANA, [HoldChange(11, 7500)]))
    mirror = booked.reversed(key="rev:order:1", business_date=DAY, memo="entered twice")
    assert mirror == Entry(
        "rev:order:1",
        "reversal",
        DAY,
        (Posting(MEMBER_CREDIT, ANA, -7500), Posting(ORDER_HOLD, ANA, 7500, 11)),
        "entered twice",
        reverses="order:1",
    )
    with pytest.raises(RuleBroken, match="is_a_reversal"):
        mirror.reversed(key="rev:rev", business_date=DAY, memo="")


@given(st.lists(st.builds(HoldChange, *[st.integers(-(10**6), 10**6)] * 3), max_size=8))
def test_whatever_an_edit_changes_balances(changes):
    postings = held_for_order(ANA, changes)
    assert sum(posting.amount for posting in postings) == 0
    assert all(posting.amount for posting in postings)


@given(st.lists(st.builds(Freed, st.sampled_from([ANA, BEN]), *[st.integers(-(10**6), 10**6)] * 3), max_size=8))
def test_whatever_is_released_balances(shorts):
    assert sum(posting.amount for posting in released_from_hold(shorts)) == 0

"""The published figures follow their definitions, and no sum shows what one maker earned."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from coop.core.impact import (
    fill_rate,
    makers_count,
    makers_part_of_ten,
    may_follow,
    may_publish_sum,
    members_count,
    members_fully_served,
    paid_to_makers,
    pay_speed,
    shown_count,
)

DAY = date(2026, 12, 1)
FIVE = {maker: 10000 + maker for maker in range(5)}


def test_a_sum_needs_five_makers_and_enough_besides_the_two_largest():
    assert may_publish_sum([100, 100, 100, 100, 100])
    assert not may_publish_sum([100, 100, 100, 100])
    assert not may_publish_sum([100, 100, 100, 100, 0])
    assert may_publish_sum([1000, 900, 100, 60, 40])
    assert not may_publish_sum([1000, 900, 100, 60, 39])
    assert not may_publish_sum([])


@given(st.lists(st.integers(1, 10**6), min_size=5, max_size=9))
def test_from_a_published_sum_the_second_largest_cannot_work_out_the_largest_to_within_a_fifth(amounts):
    first, second, *rest = sorted(amounts, reverse=True)
    if may_publish_sum(amounts):
        best_guess_at_most = sum(amounts) - second
        assert 5 * (best_guess_at_most - first) >= first
    else:
        assert 5 * sum(rest) < first


def test_two_publications_may_not_tell_one_makers_payout_by_their_difference():
    assert may_follow(FIVE, FIVE)
    assert may_follow({}, FIVE)
    assert not may_follow(FIVE, {**FIVE, 0: 25000})
    assert not may_follow({**FIVE, 7: 500}, FIVE)
    assert may_follow(FIVE, {maker: 2 * amount for maker, amount in FIVE.items()})


def test_small_counts_of_people_are_not_told_but_nobody_is():
    assert [shown_count(count) for count in (0, 1, 10, 11)] == ["0", "under 11", "under 11", "11"]


def test_what_was_paid_is_told_for_five_makers_and_withheld_for_four():
    told = paid_to_makers(FIVE, makers=9, as_of=DAY)
    assert (told.value, told.unit, told.coverage, told.withheld) == (50010, "minor", "5 of 9 makers", "")
    hidden = paid_to_makers(dict.fromkeys(range(4), 100), makers=9, as_of=DAY)
    assert hidden.value is None
    assert "single maker" in hidden.withheld


def test_makers_part_of_each_ten_leaves_tax_and_deposits_out():
    nets = dict.fromkeys(range(5), 1800)
    assert makers_part_of_ten(nets, prices=10000, taxes=0, ten=1000, makers=5, as_of=DAY).value == 900
    assert makers_part_of_ten(nets, prices=11900, taxes=1900, ten=1000, makers=5, as_of=DAY).value == 900
    nothing = makers_part_of_ten({}, prices=0, taxes=0, ten=1000, makers=5, as_of=DAY)
    assert (nothing.value, nothing.withheld) == (None, "")


def test_the_real_seasons_fill_rate():
    assert fill_rate(awarded=1_590_398, wished=1_983_484, batches=38_216, as_of=DAY).value == 8018
    assert fill_rate(awarded=0, wished=0, batches=0, as_of=DAY).value is None
    assert members_fully_served(served=1, wishing=3, as_of=DAY).value == 3333
    assert members_fully_served(served=0, wishing=0, as_of=DAY).value is None


def test_pay_speed_is_the_median_over_lines():
    assert pay_speed({3: 1, 10: 2}, handed_over=4, as_of=DAY).value == 10
    assert pay_speed({3: 2, 10: 2}, handed_over=4, as_of=DAY).value == 7
    assert pay_speed({3: 2, 10: 1}, handed_over=4, as_of=DAY).coverage == "3 of 4 lines"
    assert pay_speed({}, handed_over=4, as_of=DAY).value is None


def test_counts_of_makers_and_members_are_told():
    assert makers_count(9, as_of=DAY).value == 9
    assert members_count(40, as_of=DAY).value == 40

"""What the rest of a season costs: the part that is left, half up, never more than the whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.late_shares import WHOLE, Rest, days_left


@pytest.mark.parametrize(
    ("minor", "left", "whole", "costs"),
    [
        (30_000, 3, 4, 22_500),
        (100, 1, 3, 33),  # 33.33
        (100, 2, 3, 67),  # 66.67
        (1, 1, 2, 1),  # 0.5 goes up
        (5, 3, 10, 2),  # 1.5 goes up
        (30_000, 0, 4, 0),
    ],
)
def test_it_is_the_part_that_is_left_half_up(minor, left, whole, costs):
    assert Rest(left, whole).of(minor) == costs


@given(
    st.integers(0, 10**9), st.integers(1, 400).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))
)
def test_it_is_within_half_a_minor_unit_and_never_beyond_the_price(minor, part):
    left, whole = part
    costs = Rest(left, whole).of(minor)
    assert -whole <= 2 * (costs * whole - minor * left) <= whole
    assert 0 <= costs <= minor
    assert WHOLE.of(minor) == minor


def test_today_and_the_last_day_are_counted():
    first, last = date(2026, 9, 1), date(2026, 9, 10)
    assert days_left(first, first, last) == Rest(10, 10)
    assert days_left(date(2026, 9, 6), first, last) == Rest(5, 10)
    assert days_left(last, first, last) == Rest(1, 10)

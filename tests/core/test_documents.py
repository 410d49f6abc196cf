"""Tax on documents goes by difference and is only added up; series are named by kind, seller and year."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.documents import Kind, Line, RateSum, month_named, series_of, sums_by_rate, taxes_of
from coop.core.money import tax_inside


def own(gross: int, line: int = 7) -> Line:
    return Line(line, gross, 1900, None)


def test_a_line_by_parts_and_at_once_holds_the_same_tax():
    # 10.01 holds 1.598, 20.02 holds 3.196, 30.03 holds 4.795
    assert taxes_of([own(1001), own(1001), own(1001)], {}) == [160, 160, 159]
    assert taxes_of([own(3003)], {}) == [479]
    assert taxes_of([own(-1001), own(-1001), own(-1001)], {7: (3003, 479)}) == [-159, -160, -160]


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=12), st.sampled_from((0, 500, 700, 1900, 2500)))
def test_however_it_is_told_it_ends_where_telling_it_at_once_ends(parts, rate):
    told, stands = 0, {}
    for part in parts:
        (tax,) = taxes_of([Line(1, part, rate, None)], stands)
        told += tax
        stands = {1: (stands.get(1, (0, 0))[0] + part, told)}
    assert told == tax_inside(sum(parts), rate)
    (back,) = taxes_of([Line(1, -sum(parts), rate, None)], stands)
    assert back == -told


def test_what_the_co_op_booked_is_told_as_it_was_booked():
    assert taxes_of([Line(1, 1560, 700, 102), own(2500)], {1: (9, 9)}) == [102, 399]


def test_rates_are_added_up_and_never_computed_anew():
    # two lines of 0.03 at 19 % hold nothing each after rounding; 0.06 would hold 0.01
    lines = [(1900, 3, 0), (700, 1560, 102), (1900, 3, 0)]
    assert sums_by_rate(lines) == [RateSum(1900, 6, 0, 6), RateSum(700, 1458, 102, 1560)]


@pytest.mark.parametrize(
    ("kind", "artisan", "name"),
    [
        (Kind.INVOICE, None, "INV-2026"),
        (Kind.RECEIPT, None, "REC-2026"),
        (Kind.CREDIT_NOTE, None, "CN-2026"),
        (Kind.INVOICE, 4, "INV-M4-2026"),
    ],
)
def test_each_seller_numbers_each_kind_by_itself_each_year(kind, artisan, name):
    assert series_of(kind, artisan, 2026) == name


@pytest.mark.parametrize(
    "words", ["2026-13", "2026-1", "26-11", "2026-11-01", "\uff12\uff10\uff12\uff16-11", "", "0000-01", "now-now"]
)
def test_what_is_no_month_is_none(words):
    assert month_named(words) is None


def test_a_month_is_its_first_day():
    assert month_named("2026-11") == date(2026, 11, 1)

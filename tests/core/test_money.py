"""Money is split and rounded without losing a cent, and what people type is read or refused with its reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.core.money import (
    AMOUNT_LIMIT,
    NumberStyle,
    format_minor,
    half_up,
    minor_exponent,
    number_style,
    parse_amount,
    share_bp,
    split,
    tax_inside,
)

CASES = json.loads((Path(__file__).parents[1] / "cases" / "money.json").read_text(encoding="utf-8"))
AMOUNTS = st.integers(-AMOUNT_LIMIT, AMOUNT_LIMIT)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize("case", CASES["split_cases"], ids=lambda case: f"{case['total']}-{case['weights']}")
def test_the_worked_splits(case):
    if isinstance(case["expected"], str):
        with pytest.raises(RuleBroken) as refused:
            split(case["total"], case["weights"])
        assert f"refused:{refused.value.code}" == case["expected"]
    else:
        assert split(case["total"], case["weights"]) == case["expected"]


@pytest.mark.parametrize("case", CASES["parse_cases"], ids=lambda case: f"{case['text']!r}-{case['locale']}")
def test_the_worked_typed_amounts(case):
    style = number_style(case["locale"])
    if isinstance(case["expected"], str):
        with pytest.raises(RuleBroken) as refused:
            parse_amount(case["text"], case["minor_exponent"], style)
        assert refused.value.code == case["expected"]
    else:
        assert parse_amount(case["text"], case["minor_exponent"], style) == case["expected"]


@given(AMOUNTS, WEIGHTS)
def test_a_split_adds_up_and_gives_each_the_floor_or_the_ceiling_of_its_part(total, weights):
    parts, whole = split(total, weights), sum(weights)
    assert sum(parts) == total
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@given(AMOUNTS, WEIGHTS)
def test_a_negative_split_mirrors_the_positive_one(total, weights):
    assert split(-total, weights) == [-part for part in split(total, weights)]


@given(st.integers(0, 10**6), st.integers(2, 12))
def test_among_equals_the_odd_cents_go_to_those_listed_first(total, people):
    parts = split(total, [1] * people)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


def test_a_split_among_nobody_is_refused():
    for weights in ([], [0, 0]):
        with pytest.raises(RuleBroken, match="no_weights"):
            split(100, weights)


@given(AMOUNTS, st.integers(1, 10**6))
def test_half_up_is_the_nearest_whole_and_takes_a_half_away_from_zero(numerator, denominator):
    rounded = half_up(numerator, denominator)
    doubled_error = 2 * (rounded * denominator - numerator)
    assert abs(doubled_error) <= denominator
    if abs(doubled_error) == denominator:
        assert abs(rounded) * denominator > abs(numerator)


def test_fees_and_taxes_of_the_worked_scenarios():
    assert share_bp(20005, 1000) == 2001
    assert share_bp(12345, 1250) == 1543
    assert share_bp(-20005, 1000) == -2001
    assert [tax_inside(fee, 1900) for fee in (1125, 375, 1500)] == [180, 60, 239]
    assert tax_inside(1000, 0) == 0


def test_currencies_have_the_decimals_of_iso_4217():
    assert [minor_exponent(code) for code in ("EUR", "GBP", "JPY", "KWD")] == [2, 2, 0, 3]
    with pytest.raises(RuleBroken, match="unknown_currency"):
        minor_exponent("eur")


@given(st.integers(1, AMOUNT_LIMIT), st.sampled_from([0, 2, 3]), st.sampled_from(["en", "de", "de_CH", "fr"]))
def test_an_amount_that_we_write_is_read_back(minor, exponent, locale):
    style = number_style(locale)
    written = format_minor(minor, exponent).replace(".", style.decimal)
    assert parse_amount(written, exponent, style) == minor


@given(st.text(max_size=80), st.sampled_from([0, 2, 3]))
def test_whatever_is_typed_is_an_amount_within_bounds_or_a_refusal(text, exponent):
    try:
        assert 1 <= parse_amount(text, exponent) <= AMOUNT_LIMIT
    except RuleBroken as refused:
        assert refused.sentence


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-5", "must_be_positive"),
        ("-0", "must_be_positive"),
        ("+5", "not_a_number"),
        (".5", "not_a_number"),
        ("1_000", "not_a_number"),
        ("\uff11\uff12", "not_a_number"),
        ("\u0663", "not_a_number"),
        ("1e400", "not_a_number"),
        ("NaN", "not_a_number"),
        ("12 34", "not_a_number"),
        ("1,2345", "bad_grouping"),
        ("1234,567", "bad_grouping"),
        ("0,5", "bad_grouping"),
        ("1.2,3", "bad_grouping"),
        ("9" * 59, "too_large"),
        ("9" * 5000, "not_a_number"),
    ],
)
def test_other_ways_to_type_no_amount(text, code):
    with pytest.raises(RuleBroken) as refused:
        parse_amount(text, 2)
    assert refused.value.code == code


def test_the_bounds_of_an_amount_from_both_sides():
    assert parse_amount("1000000000.00", 2) == AMOUNT_LIMIT
    with pytest.raises(RuleBroken, match="too_large"):
        parse_amount("1000000000.01", 2)
    assert parse_amount("0", 2, least=0) == 0
    with pytest.raises(RuleBroken, match="must_be_positive"):
        parse_amount("-0.01", 2, least=0)
    assert parse_amount("12.3", 2) == 1230
    with pytest.raises(RuleBroken, match="too_many_decimals"):
        parse_amount("12.0", 0)


def test_thousands_may_be_marked_with_any_of_a_places_marks_but_only_one():
    assert parse_amount("1 234 567,89", 2, number_style("fr_FR")) == 123456789
    assert parse_amount("1'234.50", 2, number_style("de_CH")) == 123450
    with pytest.raises(RuleBroken, match="bad_grouping"):
        parse_amount("1 234\u00a0567", 2, number_style("fr"))


def test_an_unknown_place_is_read_as_its_language_or_as_english():
    assert number_style("de_DE") == number_style("de")
    assert number_style("xx_YY") == NumberStyle(".", ",")


def test_amounts_are_written_plainly():
    assert [format_minor(*pair) for pair in ((5, 2), (-123450, 2), (1999, 0), (12345, 3), (0, 2))] == [
        "0.05",
        "-1234.50",
        "1999",
        "12.345",
        "0.00",
    ]

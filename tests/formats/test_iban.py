"""An IBAN is checked offline, and a slip is named so that it can be found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.formats.iban import bic_of, demo_iban, grouped, read_iban

GERMAN = "DE89370400440532013000"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("DE89 3704 0044 0532 0130 00", GERMAN),
        ("de89-3704-0044-0532-0130-00 ", GERMAN),
        ("GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"),
        ("FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"),
    ],
)
def test_an_iban_is_read_with_or_without_its_spaces(typed, read):
    assert read_iban(typed) == read
    assert read_iban(grouped(read)) == read


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("   ", "required"),
        ("DE", "iban_characters"),
        ("8937 0400", "iban_characters"),
        ("DE89 3704 0044 0532 0130 0\u0660", "iban_characters"),
        ("DE89" + "1" * 100, "iban_characters"),
        ("XX89 3704 0044", "iban_country"),
        ("DE89 3704 0044 0532 0130 0", "iban_length"),
        ("DE89 3704 0044 0532 0130 000", "iban_length"),
        ("DE89 3704 0044 0532 O130 00", "iban_structure"),
        ("DE89 3704 0044 0532 0130 01", "iban_checksum"),
    ],
)
def test_what_is_no_iban_is_refused(typed, code):
    with pytest.raises(RuleBroken) as refused:
        read_iban(typed)
    assert refused.value.code == code


def test_the_group_with_the_slip_is_named():
    with pytest.raises(RuleBroken, match="iban_checksum") as refused:
        read_iban("DE89 3704 0044 0532 0131 00")
    assert "“0131”" in refused.value.sentence


@given(st.integers(4, len(GERMAN) - 1), st.integers(1, 9))
def test_wherever_one_digit_is_wrong_its_group_is_among_those_named(place, off):
    wrong = GERMAN[:place] + str((int(GERMAN[place]) + off) % 10) + GERMAN[place + 1 :]
    with pytest.raises(RuleBroken) as refused:
        read_iban(wrong)
    start = place // 4 * 4
    assert f"“{wrong[start : start + 4]}”" in refused.value.sentence


@given(st.sampled_from(["GB", "DE"]), st.integers(0, 99_999_999))
def test_a_demo_iban_is_valid_and_no_banks(country, number):
    iban = demo_iban(country, number)
    assert read_iban(iban) == iban
    assert bic_of(iban) is None


def test_demo_ibans_differ_and_a_real_banks_bic_is_found():
    assert len({demo_iban("GB", number) for number in range(1000)}) == 1000
    assert bic_of(GERMAN) == "COBADEFFXXX"

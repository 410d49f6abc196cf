"""An ACH file, read back field by field at the places that the Nacha rules give."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.core.us_account import UsAccount, read_routing, read_us_account
from coop.formats.nacha import Credit, Originator, write_nacha

BANK = "021000021"
COOP = Originator(BANK, "Big River Bank", "1123456789", "Riverside Craft Co-op")
MIA = Credit("SB1N1", "Mia Søndergård", UsAccount("011401533", "123456789"), 6750)
TOM = Credit("SB1N2", "Tomás & Sons", UsAccount("091000019", "42", is_savings=True), 5)


def lines(*entries, number=1):
    content = write_nacha(
        number=number, created_at=datetime(2026, 12, 1, 9, 30), pay_on=date(2026, 12, 2), originator=COOP, entries=entries  # noqa: DTZ001 - the co-op's wall clock
    )  # fmt: skip
    assert content.endswith(b"\r\n")
    return content.decode("ascii").split("\r\n")[:-1]


def test_each_record_has_94_characters_and_blocks_hold_ten():
    for many in (1, 6, 7, 16):
        written = lines(*[MIA] * many)
        assert {len(line) for line in written} == {94}
        assert len(written) % 10 == 0
        used = 4 + many
        assert [line[0] for line in written[:used]] == ["1", "5", *["6"] * many, "8", "9"]
        assert set(written[used:]) <= {"9" * 94}
        assert len(written) - used < 10
        assert int(written[used - 1][7:13]) == len(written) // 10


def test_the_headers_say_who_sends_to_which_bank_and_when():
    file, batch, *_ = lines(MIA)
    assert (file[:3], file[3:13], file[13:23]) == ("101", f" {BANK}", COOP.company_id)
    assert (file[23:29], file[29:33], file[33], file[34:40]) == ("261201", "0930", "B", "094101")
    assert (file[40:63].rstrip(), file[63:86].rstrip(), file[86:]) == ("BIG RIVER BANK", "RIVERSIDE CRAFT CO-OP", " " * 8)  # fmt: skip
    assert (batch[:4], batch[4:20], batch[40:50], batch[50:53]) == ("5220", "RIVERSIDE CRAFT ", COOP.company_id, "PPD")
    assert (batch[53:63].rstrip(), batch[69:75], batch[75:78], batch[78]) == ("PAYOUT", "261202", "   ", "1")
    assert (batch[79:87], batch[87:]) == (BANK[:8], "0000001")


def test_each_entry_says_whose_account_gets_how_much():
    _, _, mia, tom, *_ = lines(MIA, TOM)
    assert (mia[1:3], mia[3:12], mia[12:29].rstrip(), mia[29:39]) == ("22", "011401533", "123456789", "0000006750")
    assert (mia[39:54].rstrip(), mia[54:76].rstrip(), mia[76:79]) == ("SB1N1", "MIA SONDERGARD", "  0")
    assert (mia[79:87], mia[87:]) == (BANK[:8], "0000001")
    assert (tom[1:3], tom[12:29].rstrip(), tom[54:76].rstrip(), tom[87:]) == ("32", "42", "TOMAS + SONS", "0000002")


def test_the_controls_add_up():
    written = lines(MIA, TOM)
    batch, file = written[4:6]
    hashed = f"{1140153 + 9100001:010}"  # the first eight digits of each receiving bank, added up
    assert (batch[:4], batch[4:10], batch[10:20]) == ("8220", "000002", hashed)
    assert (batch[20:32], batch[32:44], batch[44:54]) == ("0" * 12, f"{6755:012}", COOP.company_id)
    assert (batch[79:87], batch[87:]) == (BANK[:8], "0000001")
    assert (file[1:7], file[13:21], file[21:31]) == ("000001", "00000002", hashed)
    assert (file[31:43], file[43:55], file[55:]) == ("0" * 12, f"{6755:012}", " " * 39)


def test_a_hash_of_more_than_ten_digits_keeps_the_last_ten():
    many = [Credit("SB1N1", "Mia", UsAccount("329999994", "1"), 1)] * 400  # 400 times 32999999 is 13199999600
    assert lines(*many)[402][10:20] == "3199999600"


def test_the_same_run_gives_the_same_bytes_and_another_of_the_day_another_sign():
    assert lines(MIA) == lines(MIA)
    assert (lines(MIA, number=2)[0][33], lines(MIA, number=37)[0][33]) == ("C", "B")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text("0123456789", min_size=4, max_size=17), st.integers(1, 10**10 - 1))
def test_whatever_a_maker_is_called_the_record_keeps_its_places(name, number, minor):
    entry = lines(Credit("SB1N1", name, UsAccount("011401533", number), minor))[2]
    assert (entry[12:29].rstrip(), int(entry[29:39]), entry[78]) == (number, minor, "0")


# -- accounts --


@pytest.mark.parametrize("routing", ["021000021", "011401533", "091000019", "0910-0001-9", "021 000 021"])
def test_routing_numbers_of_banks_are_taken(routing):
    assert read_routing(routing) == routing.replace("-", "").replace(" ", "")


@pytest.mark.parametrize(
    ("routing", "code"),
    [
        ("", "routing_length"),
        ("02100002", "routing_length"),
        ("0210000211", "routing_length"),
        ("02100002x", "routing_length"),
        ("٠٢١٠٠٠٠٢١", "routing_length"),
        ("021000012", "routing_checksum"),  # two neighbours swapped
        ("021000022", "routing_checksum"),
        ("131000021", "routing_district"),
        ("000000000", "routing_district"),
    ],
)
def test_what_is_no_routing_number_is_refused(routing, code):
    with pytest.raises(RuleBroken) as refused:
        read_routing(routing)
    assert (refused.value.code, refused.value.field) == (code, "routing")


@pytest.mark.parametrize("number", ["", "123", "1" * 18, "12a4", "1_234"])
def test_what_is_no_account_number_is_refused(number):
    with pytest.raises(RuleBroken) as refused:
        read_us_account(BANK, number, is_savings=False)
    assert (refused.value.code, refused.value.field) == ("account_number", "account")


def test_an_account_is_written_and_read_back():
    account = read_us_account(BANK, "12 34-56", is_savings=True)
    assert account == UsAccount(BANK, "123456", is_savings=True)
    assert UsAccount.of(account.written()) == account

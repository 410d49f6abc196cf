"""Bank files of each kind are read into the same statement, or refused with the reason; nothing else ever comes of them."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.formats.bank_csv import Columns, read_csv_statement
from coop.formats.bank_files import kind_of, read_statement
from coop.formats.bank_statement import BYTES_LIMIT, BankLine
from coop.formats.iban import demo_iban
from coop.formats.mt940 import read_mt940

OURS = demo_iban("DE", 4711)
ANAS = demo_iban("DE", 12)
BANK, NUMBER = OURS[4:12], OURS[12:]

MT940 = f"""{{1:F01BANKDEFFXXXX0000000000}}{{2:I940BANKDEFFXXXXN}}{{4:
:20:STARTUMS
:25:{BANK}/{NUMBER}
:28C:00012/001
:60F:C261123EUR1000,00
:61:2611241124C50,00NTRFNONREF//B-77
:86:166?00GUTSCHRIFT?20EREF+NOTPROVIDED?21SVWZ+RF45H0000012 for t?22he jam?31{ANAS}?32Ana R?33uiz
:61:2611241124D1,50NCHGNONREF
:86:Account
 keeping
:61:2612300102RC2,50NTRFNONREF//B-78
:86:/EREF/SB1N1/IBAN/{ANAS}/NAME/Ana Ruiz//REMI/USTD//came back/
:62F:C260102EUR1046,00
-}}"""

SGML = f"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</STATUS></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>{BANK}<ACCTID>{NUMBER}<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261101<DTEND>20261130
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261124120000[-5:EST]<TRNAMT>50.00<FITID>F1<NAME>Ana Ruiz<MEMO>jam &amp; gin
</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261125<TRNAMT>-1,50<FITID>F2<NAME>Bank</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1048.50<DTASOF>20261130</LEDGERBAL><AVAILBAL><BALAMT>9.99</AVAILBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<?OFX OFXHEADER="200" VERSION="211"?>
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR</CURDEF>
<BANKACCTFROM><BANKID>{BANK}</BANKID><ACCTID>{NUMBER}</ACCTID></BANKACCTFROM><BANKTRANLIST>
<STMTTRN><DTPOSTED>20261124</DTPOSTED><TRNAMT>50.00</TRNAMT><FITID>F1</FITID><NAME>Ana Ruiz</NAME><MEMO>jam &amp; gin</MEMO></STMTTRN>
<STMTTRN><DTPOSTED>20261125</DTPOSTED><TRNAMT>-1.50</TRNAMT><FITID>F2</FITID><NAME>Bank</NAME></STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1048.50</BALAMT><DTASOF>20261130</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

CSV = f"""Riverside craft co-op;;;;;;
Buchungstag;Betrag;Saldo;Verwendungszweck;Name;IBAN;Referenz
25.11.2026;-1,50;1.048,50;Entgelt;Bank;;R2
24.11.2026;50,00;1.050,00;"Jam; and gin";Ana Ruiz;{ANAS};R1
"""
COLUMNS = Columns("Buchungstag", amount="Betrag", balance="Saldo", text="Verwendungszweck", name="Name", iban="IBAN", reference="Referenz")  # fmt: skip


def read(text, *, columns=COLUMNS, iban=OURS, currency="EUR", **more):
    content = text if isinstance(text, bytes) else text.encode()
    return read_statement(content, iban=iban, currency=currency, columns=columns, **more)


def code_of(text, **more):
    with pytest.raises(RuleBroken) as refused:
        read(text, **more)
    assert refused.value.sentence
    return refused.value.code


def test_mt940_tells_names_accounts_reversals_and_the_year_of_a_booking_day():
    kind, told = read(MT940)
    assert (kind, told.opening_minor, told.closing_minor, told.reference) == (
        "mt940",
        100_000,
        104_600,
        "STARTUMS 00012/001",
    )
    first, fee, back = told.lines
    assert first == BankLine("B-77", 5000, date(2026, 11, 24), None, "RF45H0000012 for the jam", "Ana Ruiz", ANAS)
    assert (fee.minor, fee.text, fee.reference[0]) == (-150, "Account keeping", "~")
    assert back == BankLine("B-78", -250, date(2027, 1, 2), "SB1N1", "came back", "Ana Ruiz", ANAS)


def test_mt940_that_names_no_account_is_none():
    with pytest.raises(RuleBroken) as refused:
        read_mt940(MT940.replace(":25:", ":26:").encode(), iban=OURS, currency="EUR")
    assert refused.value.code == "not_mt940"


@pytest.mark.parametrize("content", [SGML, XML])
def test_both_versions_of_ofx_are_read_alike(content):
    kind, told = read(content)
    assert (kind, told.opening_minor, told.closing_minor) == ("ofx", 100_000, 104_850)
    assert told.lines == (
        BankLine("F1", 5000, date(2026, 11, 24), None, "jam & gin", "Ana Ruiz"),
        BankLine("F2", -150, date(2026, 11, 25), None, "", "Bank"),
    )


def test_csv_is_read_by_its_columns_with_the_oldest_line_first():
    kind, told = read(CSV)
    assert (kind, told.opening_minor, told.closing_minor) == ("csv", 100_000, 104_850)
    assert told.lines == (
        BankLine("R1", 5000, date(2026, 11, 24), None, "Jam; and gin", "Ana Ruiz", ANAS),
        BankLine("R2", -150, date(2026, 11, 25), None, "Entgelt", "Bank"),
    )


def test_csv_of_an_old_bank_in_windows_letters_with_two_columns_and_no_balance():
    columns = Columns("Date", day_order="mdy", decimal=".", paid_in="In", paid_out="Out", text="Text")
    text = "Date,In,Out,Text\n11/24/2026,1'050.00,,Käse\n11/25/2026,,1.50,\n".encode("cp1252")
    _, told = read(text, columns=columns, closing_minor=104_850)
    assert (told.opening_minor, [line.minor for line in told.lines]) == (0, [105_000, -150])
    assert told.lines[0].text == "Käse"
    assert code_of(text, columns=columns) == "missing_balance"


def test_two_equal_lines_on_a_day_are_both_real_in_every_kind():
    line = ":61:2611241124C50,00NTRFNONREF\n:86:Ana\n"
    start = MT940[: MT940.index(":61:")]
    _, told = read(start + line + line + ":62F:C261124EUR1100,00\n-}")
    assert [one.minor for one in told.lines] == [5000, 5000]
    assert told.lines[1].reference == told.lines[0].reference + "/2"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"x" * (BYTES_LIMIT + 1), "too_large"),
        (b"nothing of the kind", "unknown_format"),
        (MT940.replace("1046,00", "1046,01"), "does_not_add_up"),
        (MT940.replace(NUMBER, "0009999999"), "wrong_account"),
        (MT940.replace("C261123EUR", "C261123USD"), "wrong_currency"),
        (MT940.replace(":62F:", ":99F:"), "missing_balance"),
        (MT940.replace("2611241124C50,00", "2613241124C50,00"), "bad_date"),
        (MT940.replace(":61:2611241124C", ":61:26112X1124C", 1), "bad_line"),
        (MT940.replace("50,00N", "50,001N"), "bad_amount"),
        (MT940[: MT940.index(":62F:")], "missing_balance"),
        (SGML.replace(NUMBER, "0009999999"), "wrong_account"),
        (SGML.replace("<CURDEF>EUR", "<CURDEF>USD"), "wrong_currency"),
        (SGML.replace("LEDGERBAL", "OTHERBAL"), "missing_balance"),
        (SGML.replace("<TRNAMT>50.00", "<TRNAMT>1e3"), "bad_amount"),
        (SGML.replace("<DTPOSTED>20261125", "<DTPOSTED>20261131"), "bad_date"),
        (SGML.replace("STMTRS", "CCSTMTRS"), "not_ofx"),
        (XML.replace("<OFX>", '<!DOCTYPE a [<!ENTITY b "c">]><OFX>'), "entities"),
        (XML.replace("<OFX>", "<a>" * 50), "too_deep"),
        (XML[:-30], "not_xml"),
        (CSV.replace("1.048,50", "1.048,51"), "does_not_add_up"),
        (CSV.replace("-1,50", "-1,5x"), "bad_row"),
        (CSV.replace("25.11.2026", "31.11.2026"), "bad_row"),
        (CSV.replace("Saldo", "Stand"), "missing_column"),
        (CSV[: CSV.index("25.11")], "no_rows"),
        (CSV.split("\n", 2)[1] + "\n" + "24.11.2026;50,00;0;;;;\n" * 10_001, "too_many_rows"),
        ("a;b;c\nÿ".encode("utf-16"), "missing_column"),
        (b"a;b;c\n\x81\x8d;2;3", "encoding"),
        ("a;b;c\n\x00;2;3", "encoding"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_sound_is_refused(content, code):
    assert code_of(content) == code


def test_every_row_that_is_wrong_is_named():
    with pytest.raises(RuleBroken) as refused:
        read_csv_statement(CSV.replace("11.2026", "13.2026").encode(), COLUMNS, iban=OURS, currency="EUR")
    assert "Row 3:" in refused.value.sentence
    assert "Row 4:" in refused.value.sentence


def test_a_csv_file_without_columns_asks_for_them():
    assert kind_of(CSV.encode()) == "csv"
    assert code_of(CSV, columns=None) == "columns_needed"


SEEDS = tuple(one.encode() for one in (MT940, SGML, XML, CSV))


@given(st.sampled_from(SEEDS), st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=20), st.sampled_from(["EUR", "JPY", "KWD"]))  # fmt: skip
@example(SEEDS[0], 0, 0, b"\xff\xfe", "EUR")
def test_whatever_a_file_holds_it_is_read_or_refused_with_a_sentence(seed, start, length, put, currency):
    content = seed[:start] + put + seed[start + length :]
    try:
        _, told = read_statement(content, iban=OURS, currency=currency, columns=COLUMNS)
    except RuleBroken as broken:
        assert broken.sentence
    else:
        assert told.opening_minor + sum(line.minor for line in told.lines) == told.closing_minor
        assert len({line.reference for line in told.lines}) == len(told.lines)


@given(st.binary(max_size=300), st.sampled_from([b"", b"<", b"<OFX>", b":20:x\n:25:", b"a;b;c\n"]))
def test_any_bytes_at_all_are_refused_or_read(content, start):
    try:
        read_statement(start + content, iban=OURS, currency="EUR", columns=COLUMNS)
    except RuleBroken as broken:
        assert broken.sentence

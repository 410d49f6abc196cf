"""A bank statement is read whole, line by line, or refused with the reason."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.formats.bank_statement import BYTES_LIMIT, BankLine, BankStatement
from coop.formats.camt import read_camt053, write_camt053
from coop.formats.iban import demo_iban

OURS = demo_iban("GB", 1)
AT = datetime(2011, 6, 9, 12, 0, tzinfo=UTC)
DAY = date(2011, 6, 8)
PAID = BankLine("BANK1", -637500, DAY, "P1M1", "Statement 2011-1")
FEE = BankLine("BANK2", -150, DAY, None, "")
IN = BankLine("BANK3", 10000, DAY, None, "Ana, share")


def statement(*lines, opening=1_000_000, currency="GBP"):
    closing = opening + sum(line.minor for line in lines)
    return BankStatement("STMT1", OURS, currency, opening, closing, DAY, date(2011, 6, 9), tuple(lines))


CONTENT = write_camt053(statement(PAID, FEE, IN), created_at=AT)


def code_of(content, **others):
    with pytest.raises(RuleBroken) as refused:
        read_camt053(content, **{"iban": OURS, "currency": "GBP", **others})
    assert refused.value.sentence
    return refused.value.code


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**9), 10**9), st.sampled_from([None, "P1", "P2"]), st.sampled_from(["", "Ana 1", "+x"])
        ),
        max_size=6,
    ),
    st.integers(-(10**9), 10**9),
    st.sampled_from(["GBP", "JPY", "KWD"]),
)
def test_what_is_written_is_read_back(lines, opening, currency):
    told = statement(
        *(BankLine(f"R{n}", *line[:1], DAY, *line[1:]) for n, line in enumerate(lines)),
        opening=opening,
        currency=currency,
    )
    content = write_camt053(told, created_at=AT)
    assert read_camt053(content, iban=OURS, currency=currency) == told
    assert content == write_camt053(told, created_at=AT)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"date;amount\n", "not_xml"),
        (CONTENT[:-40], "not_xml"),
        (b"<html/>", "not_camt"),
        (CONTENT.replace(b"camt.053.001.08", b"pain.001.001.09"), "not_camt"),
        (CONTENT.replace(b"<Document", b'<!DOCTYPE a [<!ENTITY b "c">]><Document'), "entities"),
        (CONTENT.replace(b"<Document", b"<!DOCTYPE a><Document"), "entities"),
        (CONTENT + b" " * BYTES_LIMIT, "too_large"),
        (CONTENT.replace(b"6375.00", b"6375.01"), "does_not_add_up"),
        (CONTENT.replace(b"6375.00", b"6375.001"), "bad_amount"),
        (CONTENT.replace(b"6375.00", b"-6375.00"), "bad_amount"),
        (CONTENT.replace(b"6375.00", b"1e3"), "bad_amount"),
        (CONTENT.replace(b"2011-06-08", b"2011-06-31"), "bad_date"),
        (CONTENT.replace(b"CLBD", b"ITBD"), "missing_balance"),
        (CONTENT.replace(b'"GBP"', b'"EUR"', 1), "wrong_currency"),
        (CONTENT.replace(b"UTF-8", b"UTF-9"), "encoding"),
        (b'<?xml version="1.0"?>' + b"<a>" * 100_000, "too_deep"),
    ],
)
def test_a_file_that_is_no_whole_statement_of_ours_is_refused(content, code):
    assert code_of(content) == code


def test_another_account_another_currency_and_two_statements_are_refused():
    assert code_of(CONTENT, iban=demo_iban("GB", 2)) == "wrong_account"
    assert code_of(CONTENT, currency="EUR") == "wrong_currency"
    start, end = CONTENT.index(b"<Stmt>"), CONTENT.index(b"</Stmt>") + len(b"</Stmt>")
    assert code_of(CONTENT[:end] + CONTENT[start:end] + CONTENT[end:]) == "one_statement"


def test_two_equal_payments_on_a_day_are_both_real():
    content = write_camt053(statement(IN, IN), created_at=AT)
    assert [line.reference for line in read_camt053(content, iban=OURS, currency="GBP").lines] == ["BANK3", "BANK3/2"]


def test_without_a_reference_of_the_banks_a_line_is_known_by_what_it_says_wherever_it_stands():
    def references(*lines):
        content = write_camt053(statement(*lines), created_at=AT).replace(b"AcctSvcrRef", b"X")
        return [line.reference for line in read_camt053(content, iban=OURS, currency="GBP").lines]

    paid, fee, came, again = references(PAID, FEE, IN, IN)
    assert again == f"{came}/2"
    assert references(IN, PAID) == [came, paid]
    assert len({paid, fee, came}) == 3


def test_the_payers_name_and_account_are_read():
    line = BankLine("BANK9", 5000, DAY, None, "RF45H0000012", "Ana Ruiz", demo_iban("DE", 7))
    content = write_camt053(statement(line), created_at=AT)
    assert read_camt053(content, iban=OURS, currency="GBP").lines == (line,)


def test_a_line_that_lists_its_payments_is_read_payment_by_payment():
    one = b"<NtryDtls><TxDtls><Refs><EndToEndId>P1M1</EndToEndId></Refs></TxDtls></NtryDtls>"
    listed = b"".join(
        b'<TxDtls><Refs><EndToEndId>%s</EndToEndId></Refs><Amt Ccy="GBP">%s</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
        % pair
        for pair in ((b"P1M1", b"6000"), (b"P1M2", b"375"))
    )
    entry = (
        b'<Ntry><Amt Ccy="GBP">6375.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2011-06-08T10:00:00</DtTm></BookgDt>'
        b"<AcctSvcrRef>B</AcctSvcrRef>%s</Ntry>"
    )
    frame = write_camt053(statement(BankLine("GONE", -637500, DAY, None, "")), created_at=AT)
    start, end = frame.index(b"<Ntry>"), frame.index(b"</Ntry>") + len(b"</Ntry>")
    pending = entry.replace(b"BOOK", b"PDNG") % one
    for details, lines in (
        (one, [("B", -637500, "P1M1")]),
        (b"<NtryDtls>%s</NtryDtls>" % listed, [("B", -600000, "P1M1"), ("B/2", -37500, "P1M2")]),
        (b"<NtryDtls>%s</NtryDtls>" % listed.replace(b"375", b"376"), [("B", -637500, None)]),
    ):
        content = frame[:start] + entry % details + pending + frame[end:]
        read = read_camt053(content, iban=OURS, currency="GBP")
        assert [(line.reference, line.minor, line.end_to_end_id) for line in read.lines] == lines

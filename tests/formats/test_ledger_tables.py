"""Tables of the ledger: words never become formulas, numbers stay numbers, and every cent is there."""

import csv
import io
import re
import zipfile
from datetime import date

import pytest

from coop.formats.ledger_tables import safe_text, write_csv, write_hledger, write_xlsx

DAY = date(2026, 12, 1)
ROWS = [
    ("bank:1", "top_up", DAY, "=1+1", 1000, "", 123_456),
    ("bank:1", "top_up", DAY, "=1+1", 2000, "household:7", -123_456),
    ("gift:2", "gift", DAY, "two; words", 2000, "household:7", 5),
    ("gift:2", "gift", DAY, "two; words", 2300, "", -5),
]


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\0x"])
def test_what_a_spreadsheet_takes_for_a_formula_is_quoted(words):
    assert safe_text(words) == f"'{words}"
    assert safe_text(f"a{words}") == f"a{words}"


def test_csv_has_a_line_for_each_posting_to_the_cent():
    lines = list(csv.DictReader(io.StringIO("".join(write_csv(ROWS, exponent=2)))))
    assert [(one["account"], one["party"], one["debit"], one["credit"]) for one in lines] == [
        ("1000", "", "1234.56", ""),
        ("2000", "household:7", "", "1234.56"),
        ("2000", "household:7", "0.05", ""),
        ("2300", "", "", "0.05"),
    ]
    assert lines[0]["words"] == "'=1+1"


@pytest.mark.parametrize(("exponent", "shown"), [(0, "123456"), (2, "1234.56"), (3, "123.456")])
def test_amounts_have_the_decimals_of_the_currency(exponent, shown):
    assert next(csv.DictReader(io.StringIO("".join(write_csv(ROWS, exponent=exponent)))))["debit"] == shown


def sheets(most=1_048_576, rows=ROWS):
    out = io.BytesIO()
    write_xlsx(out, rows, exponent=2, most=most)
    book = zipfile.ZipFile(io.BytesIO(out.getvalue()))
    return [book.read(name).decode() for name in sorted(book.namelist()) if "worksheets/sheet" in name]


def test_xlsx_keeps_numbers_as_numbers_and_words_as_words():
    (sheet,) = sheets()
    assert "<f>" not in sheet
    assert re.search(r'<c r="H2" s="\d+"><v>1234.56</v>', sheet)
    assert re.search(r'<c r="I3" s="\d+"><v>1234.56</v>', sheet)
    assert "'=1+1" in sheet


def test_the_largest_amount_of_an_entry_is_exact_in_a_sheet():
    (sheet,) = sheets(rows=[("k", "x", DAY, "", 1000, "", 10**11 - 1)])
    assert "<v>999999999.99</v>" in sheet


def test_what_one_sheet_cannot_hold_goes_on_in_another():
    assert [sheet.count("<row ") for sheet in sheets(most=3)] == [3, 3]
    assert [sheet.count("<row ") for sheet in sheets(rows=[])] == [1]


def test_hledger_text_balances_each_entry_and_asserts_each_account():
    balances = [(1000, "", 123_456), (2000, "household:7", -123_451), (2300, "", -5)]
    told = "".join(write_hledger(ROWS, balances, currency="EUR", exponent=2))
    assert told.startswith("commodity 1000.00 EUR\n")
    assert "\n2026-12-01 * top_up: =1+1  ; key: bank:1\n    assets:bank  1234.56 EUR\n" in told
    assert "* gift: two, words  ; key" in told  # a semicolon would begin a comment
    assert "    liabilities:member-credit:household-7  0 EUR = -1234.51 EUR\n" in told
    for entry in told.split("\n\n")[1:-1]:
        amounts = re.findall(r"  (-?\d+\.\d\d) EUR$", entry, re.MULTILINE)
        assert sum(int(amount.replace(".", "")) for amount in amounts) == 0

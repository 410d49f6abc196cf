"""hledger's text of the ledger, read by hledger's own grammar: each entry balances, each account ends where the books say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from coop.formats.ledger_tables import write_hledger
from tests.journal_reader import Unreadable, hledger_too, read_journal

DAY = date(2026, 12, 1)
HOSTILE = ["=1+1", "a ; b", "(code) x", "! x", "|", "a  b", "tab\there", "\u2028x", "", "x\u00a0y", "comment", "end\n2026-01-01 x", "  lead", "date:2020-13-99"]  # fmt: skip


def journal(exponent=2, memo="two jars", key="bank:hand:7", off=0):
    rows = [
        (key, "top_up", DAY, memo, 1000, "", 123_456),
        (key, "top_up", DAY, memo, 2000, "household:7", -123_456),
        ("gift:2", "gift", DAY, memo, 2000, "household:7", 5),
        ("gift:2", "gift", DAY, memo, 2300, "", -5),
    ]
    balances = [(1000, "", 123_456 + off), (2000, "household:7", -123_451), (2300, "", -5)]
    return "".join(write_hledger(rows, balances, currency="EUR", exponent=exponent))


@pytest.mark.parametrize("exponent", [0, 2, 3])
def test_the_journal_is_read_and_ends_where_the_books_do_in_every_currency(tmp_path, exponent):
    written = journal(exponent)
    minor = {name: int(end.scaleb(exponent)) for name, end in read_journal(written).items()}
    ends = {"assets:bank": 123_456, "liabilities:member-credit:household-7": -123_451}
    assert minor == ends | {"liabilities:hardship-fund": -5}
    (tmp_path / "coop.journal").write_text(written, "utf-8")
    assert hledger_too(tmp_path / "coop.journal") == (0, "")


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_in_the_ledger_break_the_journal(tmp_path, words):
    written = journal(memo=words, key=f"bank:hand:{words}".replace("\n", " "))
    assert read_journal(written)["assets:bank"] == Decimal("1234.56")
    assert written.count("\n2026-12-01 * ") == 3
    (tmp_path / "coop.journal").write_text(written, "utf-8")
    assert hledger_too(tmp_path / "coop.journal") == (0, "")


REFUSED = {
    "a commodity without its decimal mark": ("commodity 1000.00 EUR", "commodity 100000 EUR"),
    "a day that there is not": ("2026-12-01 * gift", "2026-12-32 * gift"),
    "an entry that does not balance": ("  0.05 EUR", "  0.06 EUR"),
    "an amount one space after its account": ("bank  1234.56", "bank 1234.56"),
    "an assertion that fails by a cent": ("= 1234.56", "= 1234.57"),
    "another currency in a posting": ("  0.05 EUR", "  0.05 GBP"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_hledger_refuses_is_refused_by_the_reader_too(what):
    good, bad = REFUSED[what]
    written = journal()
    assert good in written
    with pytest.raises(Unreadable):
        read_journal(written.replace(good, bad, 1))


def test_a_single_cent_between_ledger_and_books_shows():
    with pytest.raises(Unreadable, match="assets:bank is asserted to be"):
        read_journal(journal(off=1))


def test_a_ledger_without_entries_is_read_too(tmp_path):
    written = "".join(write_hledger([], [], currency="JPY", exponent=0))
    assert read_journal(written) == {}
    (tmp_path / "coop.journal").write_text(written, "utf-8")
    assert hledger_too(tmp_path / "coop.journal") == (0, "")

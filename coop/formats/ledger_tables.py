"""The whole ledger for other tools: hledger's text, and tables as CSV and XLSX in which words never become formulas."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import BinaryIO, Final

from xlsxwriter import Workbook

from coop.core.ledger import CHART
from coop.core.money import format_minor
from coop.formats.beancount import account_name

Row = tuple[str, str, date, str, int, str, int]
"""Entry key, kind, business date, memo, account code, party, amount in minor units (debit +, credit -)."""

COLUMNS: Final = ("entry", "kind", "date", "words", "account", "name", "party", "debit", "credit")
XLSX_ROWS: Final = 1_048_576
"""What one sheet can hold; the ledger goes on in another."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def safe_text(words: str) -> str:
    """Quote what a spreadsheet would take for a formula; everything else stays."""
    return f"'{words}" if words.startswith(_FORMULA) else words


def write_hledger(
    rows: Iterable[Row], balances: Iterable[tuple[int, str, int]], *, currency: str, exponent: int
) -> Iterator[str]:
    """Write the ledger as hledger's journal, ending with an assertion of each account's balance, without tolerance."""
    last = date(1970, 1, 1)
    yield f"commodity {format_minor(1000 * 10**exponent, exponent)}{'' if exponent else '.'} {currency}\n"  # hledger wants the mark
    for (key, kind, day, memo), postings in groupby(rows, key=lambda row: row[:4]):
        last = max(last, day)
        words = " ".join(memo.replace(";", ",").split())
        lines = [f"\n{day.isoformat()} * {kind}{': ' + words if words else ''}  ; key: {key.replace(',', ' ')}\n"]
        lines += [
            f"    {_hledger_account(row[4], row[5])}  {format_minor(row[6], exponent)} {currency}\n" for row in postings
        ]
        yield "".join(lines)
    ends = [
        f"    {_hledger_account(code, party)}  0 {currency} = {format_minor(amount, exponent)} {currency}\n"
        for code, party, amount in balances
    ]
    if ends:
        yield f"\n{last.isoformat()} * balances as the books keep them\n" + "".join(ends)


def write_csv(rows: Iterable[Row], *, exponent: int) -> Iterator[str]:
    """Write a line for each posting, after a line of headings; amounts are plain decimals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([cell if isinstance(cell, str | int) else format(cell) for cell in _cells(row, exponent)])
        if out.tell() > 65_536:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def write_xlsx(out: BinaryIO, rows: Iterable[Row], *, exponent: int, most: int = XLSX_ROWS) -> None:
    """Write a row for each posting into sheets of at most `most` rows; amounts are numbers with their decimals shown."""
    book = Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    money = book.add_format({"num_format": "#,##0" + ("." + "0" * exponent if exponent else "")})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet, n = None, most
    for row in rows:
        if sheet is None or n >= most:
            sheet, n = book.add_worksheet(), 1
            sheet.write_row(0, 0, COLUMNS)
        for column, cell in enumerate(_cells(row, exponent)):
            if isinstance(cell, Decimal):
                sheet.write_number(n, column, cell, money)
            elif column == COLUMNS.index("date"):
                sheet.write_datetime(n, column, row[2], day)
            elif isinstance(cell, int):
                sheet.write_number(n, column, cell)
            elif cell:
                sheet.write_string(n, column, cell)
        n += 1
    if sheet is None:
        book.add_worksheet().write_row(0, 0, COLUMNS)
    book.close()


def _cells(row: Row, exponent: int) -> tuple[str | int | Decimal, ...]:
    key, kind, day, memo, code, party, amount = row
    debit: str | Decimal = Decimal(amount).scaleb(-exponent) if amount > 0 else ""
    credit: str | Decimal = Decimal(-amount).scaleb(-exponent) if amount < 0 else ""
    words = (safe_text(key), safe_text(kind), day.isoformat(), safe_text(memo))
    return *words, code, CHART[code].name, safe_text(party), debit, credit


def _hledger_account(code: int, party: str) -> str:
    return account_name(code, party).lower()

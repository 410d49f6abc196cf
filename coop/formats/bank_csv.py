"""Bank statements as CSV: each bank has columns of its own, which a treasurer names once."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from coop.core.errors import RuleBroken
from coop.core.money import NumberStyle, minor_exponent, parse_amount
from coop.formats.bank_statement import (
    LONGEST_NAME,
    BankLine,
    BankStatement,
    decoded,
    end_to_end_of,
    iban_of,
    refuse_account,
    refuse_currency,
    refuse_size,
    shown,
    whole,
    words_of,
)

ROWS_LIMIT: Final = 10_000
ORDERS: Final = ("dmy", "ymd", "mdy")
_NUMBERS: Final = {",": NumberStyle(",", ".\u2019' \u00a0\u202f"), ".": NumberStyle(".", ",\u2019' \u00a0\u202f")}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what, by its heading; "" where the bank has none.

    Amounts stand in one column with a sign (`amount`), or what came in and what went out in two.
    """

    booked_on: str
    day_order: str = "dmy"
    decimal: str = ","
    amount: str = ""
    paid_in: str = ""
    paid_out: str = ""
    balance: str = ""
    text: str = ""
    name: str = ""
    iban: str = ""
    reference: str = ""
    end_to_end: str = ""
    account: str = ""
    currency: str = ""

    def named(self) -> tuple[str, ...]:
        """The headings that a file must have."""
        told = (self.booked_on, self.amount, self.paid_in, self.paid_out, self.balance, self.text, self.name)
        more = (self.iban, self.reference, self.end_to_end, self.account, self.currency)
        return tuple(heading for heading in (*told, *more) if heading)

    def refuse_gaps(self) -> None:
        """Refuse columns that a statement cannot be read by. Raises `column_missing` and `same_column_twice`."""
        if not self.booked_on:
            raise RuleBroken("column_missing", "Say which column holds the day of booking.", field="booked_on")
        if not (self.amount or self.paid_in or self.paid_out):
            raise RuleBroken("column_missing", "Say which column holds the amount, or what came in and what went out.", field="amount")  # fmt: skip
        if self.amount and (self.paid_in or self.paid_out):
            raise RuleBroken("same_column_twice", "Give one column of amounts, or the two of what came in and went out, not both.", field="amount")  # fmt: skip
        figures = [one for one in (self.booked_on, self.amount, self.paid_in, self.paid_out, self.balance) if one]
        if twice := next((one for one in figures if figures.count(one) > 1), ""):
            raise RuleBroken("same_column_twice", f"“{shown(twice)}” cannot hold two of these at once.", field="amount")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file's headings and rows; `first` is the number of the first row in the file."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int


def read_table(content: bytes) -> Table:
    """Read a file's table: its headings are the first line with at least three cells, all filled.

    Raises `empty`, `too_large`, `encoding`, `unknown_format` or `too_many_rows`.
    """
    refuse_size(content)
    text = decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    marks = {mark: text[:5000].count(mark) for mark in (";", ",", "\t", "|")}
    try:
        reader = csv.reader(io.StringIO(text), delimiter=max(marks, key=lambda mark: marks[mark]), strict=False)
        lines = [[words_of(cell) for cell in line] for line in reader]
    except csv.Error:
        raise RuleBroken("unknown_format", "The file is no table that we can read.", field="file") from None
    for place, line in enumerate(lines[:40]):
        if (
            len(line) >= 3
            and sum(1 for cell in line if cell) >= 3
            and len(set(filter(None, line))) == len([*filter(None, line)])
        ):
            rows = tuple(tuple(row) for row in lines[place + 1 :] if any(row))
            if len(rows) > ROWS_LIMIT:
                raise RuleBroken("too_many_rows", f"The file has {len(rows)} rows; {ROWS_LIMIT} are the most.")
            return Table(tuple(line), rows, place + 2)
    raise RuleBroken(
        "unknown_format",
        "This is no bank statement that we can read: export it as camt.053, MT940, OFX or CSV.",
        field="file",
    )


def read_csv_statement(
    content: bytes, columns: Columns, *, iban: str, currency: str, closing_minor: int | None = None
) -> BankStatement:
    """Read a statement by its columns. Without a column of balances the closing one must be given.

    Raises what `read_table` and `refuse_gaps` do, and `missing_column`, `no_rows`, `wrong_account`, `wrong_currency`, `missing_balance`,
    `does_not_add_up` or `bad_row`, which names every row that is wrong.
    """
    columns.refuse_gaps()
    table = read_table(content)
    if missing := [heading for heading in columns.named() if heading not in table.headings]:
        raise RuleBroken("missing_column", f"The file has no column “{shown(missing[0])}”.", field="file")
    if not table.rows:
        raise RuleBroken("no_rows", "The file has headings, but no line below them.", field="file")
    told = [_Row(table, columns, number) for number in range(len(table.rows))]
    for account in {row.cell(columns.account) for row in told} - {""}:
        refuse_account(account, iban)
    refuse_currency({row.cell(columns.currency) for row in told}, currency)
    exponent = minor_exponent(currency)
    wrong: list[str] = []
    lines = [line for row in told if (line := row.line(exponent, wrong)) is not None]
    balances = [row.balance(exponent, wrong) for row in told] if columns.balance and not wrong else []
    if wrong:
        more = f" And {len(wrong) - 10} more." if len(wrong) > 10 else ""
        raise RuleBroken("bad_row", " ".join(wrong[:10]) + more, field="file")
    lines, opening, closing = _in_order(lines, balances, closing_minor)
    first, last = min(line.booked_on for line in lines), max(line.booked_on for line in lines)
    name = f"CSV {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return whole(BankStatement(name, iban, currency, opening, closing, first, last, tuple(lines)))


def _in_order(
    lines: list[BankLine], balances: Sequence[int], closing_minor: int | None
) -> tuple[list[BankLine], int, int]:
    """Return the lines with the oldest first, and the balances around them; each balance must follow from the one before."""
    if not balances:
        if closing_minor is None:
            raise RuleBroken("missing_balance", "Give the balance after the last line.", field="closing")
        turned = lines[::-1] if lines[0].booked_on > lines[-1].booked_on else lines
        return turned, closing_minor - sum(line.minor for line in lines), closing_minor
    ways = ((lines, balances), (lines[::-1], balances[::-1]))
    for way, told in ways if lines[0].booked_on <= lines[-1].booked_on else ways[::-1]:
        steps = zip(told, told[1:], way[1:], strict=False)
        if all(before + line.minor == after for before, after, line in steps):
            return list(way), told[0] - way[0].minor, told[-1]
    raise RuleBroken("does_not_add_up", "The balances do not follow from the lines; the file is not whole.")


@dataclass(frozen=True, slots=True)
class _Row:
    table: Table
    columns: Columns
    number: int

    def cell(self, heading: str) -> str:
        if not heading:
            return ""
        row, place = self.table.rows[self.number], self.table.headings.index(heading)
        return row[place] if place < len(row) else ""

    def line(self, exponent: int, wrong: list[str]) -> BankLine | None:
        columns = self.columns
        try:
            return BankLine(
                reference=self.cell(columns.reference),
                minor=self._minor(exponent),
                booked_on=_day(self.cell(columns.booked_on), columns.day_order),
                end_to_end_id=end_to_end_of(self.cell(columns.end_to_end)),
                text=self.cell(columns.text),
                name=words_of(self.cell(columns.name), most=LONGEST_NAME),
                iban=iban_of(self.cell(columns.iban)),
            )
        except RuleBroken as broken:
            wrong.append(f"Row {self.table.first + self.number}: {broken.sentence}")
            return None

    def balance(self, exponent: int, wrong: list[str]) -> int:
        try:
            return _amount(self.cell(self.columns.balance), self.columns.decimal, exponent)
        except RuleBroken as broken:
            wrong.append(f"Row {self.table.first + self.number}: {broken.sentence}")
            return 0

    def _minor(self, exponent: int) -> int:
        columns = self.columns
        if columns.amount:
            return _amount(self.cell(columns.amount), columns.decimal, exponent)
        paid_in, paid_out = self.cell(columns.paid_in), self.cell(columns.paid_out)
        came = abs(_amount(paid_in, columns.decimal, exponent)) if paid_in else 0
        went = abs(_amount(paid_out, columns.decimal, exponent)) if paid_out else 0
        return came - went


def _amount(written: str, decimal: str, exponent: int) -> int:
    """Read an amount with its sign before or behind it."""
    plain = re.sub(r"\s*(EUR|GBP|USD|CHF|[€£$])\s*", "", written.replace("\u2212", "-")).strip()
    shape = re.fullmatch(r"([+-]?)\s*(.*?)\s*(-?)", plain)
    assert shape is not None
    minor = parse_amount(shape[2], exponent, _NUMBERS[decimal], least=0)
    return -minor if (shape[1] == "-") != (shape[3] == "-") else minor


def _day(written: str, order: str) -> date:
    parts = re.fullmatch(r"([0-9]{1,4})[-./]([0-9]{1,2})[-./]([0-9]{2,4})(?:[ T].*)?", written)
    told = dict(zip(order, parts.groups(), strict=True)) if parts is not None else {}
    try:
        year = int(told["y"])
        day = date(year + 2000 if year < 100 else year, int(told["m"]), int(told["d"]))
    except (KeyError, ValueError):
        raise RuleBroken("bad_date", f"“{shown(written)}” is no day as this column should have it.") from None
    if not 1990 <= day.year <= 2099:
        raise RuleBroken("bad_date", f"“{shown(written)}” is a day of another age.")
    return day


def guessed(table: Table) -> Iterator[tuple[str, str]]:
    """Guess which heading is what, for a form that is filled in the first time."""
    words = {
        "booked_on": r"book|buch|date|datum|fecha",
        "amount": r"^amount|betrag|umsatz|importe|montant|bedrag",
        "paid_in": r"paid in|credit|eingang|haben",
        "paid_out": r"paid out|debit|ausgang|soll",
        "balance": r"balance|saldo",
        "text": r"purpose|reference text|verwendung|remittance|description|details|memo|text",
        "name": r"name|payer|auftraggeber|beg|counterparty",
        "iban": r"iban|kontonummer",
        "reference": r"transaction id|bank ref|reference$|referenz|id$",
    }
    for what, pattern in words.items():
        found = next((heading for heading in table.headings if re.search(pattern, heading, re.IGNORECASE)), None)
        if found:
            yield what, found

"""The whole ledger as Beancount text, which `bean-check` proves: each entry balances, and each account ends where our books say."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from coop.core.ledger import CHART, AccountType
from coop.core.money import format_minor

_ROOTS = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
}
_PARTS_A_PIECE = 2000
_ONE_DAY = timedelta(days=1)


class PostingRow(NamedTuple):
    """A posting with its entry, as the ledger is read: all postings of an entry follow one another."""

    entry_key: str
    kind: str
    business_date: date
    memo: str
    account_code: int
    party: str
    amount: int


class Balance(NamedTuple):
    """Where an account ends by our own books: debit +, credit -."""

    account_code: int
    party: str
    amount: int


def write_beancount(
    rows: Iterable[PostingRow | tuple[str, str, date, str, int, str, int]],
    balances: Iterable[Balance | tuple[int, str, int]],
    *,
    title: str,
    currency: str,
    exponent: int,
) -> Iterator[str]:
    """Write the ledger in pieces: entries as they come, then for each account that it is opened and where it ends, to the cent.

    An account that has postings and is not among the balances must end at 0.
    """
    used: set[tuple[int, str]] = set()
    first = last = date(1970, 1, 1)
    piece = [f'option "title" "{_quoted(title)}"\noption "operating_currency" "{currency}"\n']
    for count, ((key, kind, day, memo), postings) in enumerate(groupby(rows, key=lambda row: row[:4])):
        first, last = (min(first, day), max(last, day)) if count else (day, day)
        piece.append(f'\n{day.isoformat()} * "{_quoted(kind)}" "{_quoted(memo)}"\n  key: "{_quoted(key)}"\n')
        for row in postings:
            used.add((row[4], row[5]))
            piece.append(f"  {account_name(row[4], row[5])}  {format_minor(row[6], exponent)} {currency}\n")
        if len(piece) >= _PARTS_A_PIECE:
            yield "".join(piece)
            piece.clear()
    ends = dict.fromkeys(used, 0) | {(code, party): amount for code, party, amount in balances}
    piece.append(f"\n{first.isoformat()} commodity {currency}\n")
    for code, party in sorted(ends):
        account = account_name(code, party)
        piece.append(f"{first.isoformat()} open {account} {currency}\n")
        piece.append(
            f"{last + _ONE_DAY} balance {account}  {format_minor(ends[code, party], exponent)} ~ 0 {currency}\n"
        )
    yield "".join(piece)


@lru_cache(maxsize=100_000)
def account_name(code: int, party: str) -> str:
    """Name an account as Beancount allows: `Liabilities:Member-Credit:Household-17`."""
    kind = CHART[code]
    parts = [_ROOTS[kind.type], *(re.sub(r"[^A-Za-z0-9]+", "-", part).title() for part in (kind.slug, party) if part)]
    return ":".join(parts)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")

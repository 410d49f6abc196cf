"""hledger's grammar, as far as the ledger's export uses it, read strictly: what hledger would refuse is refused here too.

Tried against hledger 1.25 with the examples of `tests/formats/test_hledger.py`; where that program is at hand, the tests
ask it as well.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

_COMMODITY = re.compile(r"commodity (\d+)\.(\d*) ([A-Z]{3})")
_HEADING = re.compile(r"(\d{4}-\d{2}-\d{2}) \* ([^;]*)(?:;.*)?")
_POSTING = re.compile(r"    (\S(?:\S| (?! ))*?)  +(-?\d+(?:\.\d+)?) ([A-Z]{3})(?: = (-?\d+(?:\.\d+)?) ([A-Z]{3}))?")
_ROOTS = {"assets", "liabilities", "equity", "income", "expenses"}


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """hledger would refuse the file at this line."""


def read_journal(text: str) -> dict[str, Decimal]:
    """Return where each account ends; raise Unreadable where an entry does not parse or balance, or an assertion fails."""
    ends: Counter[str] = Counter()
    lines = text.split("\n")
    said = _COMMODITY.fullmatch(lines[0])
    if said is None:
        raise Unreadable(f"1: a commodity with its decimal mark, not {lines[0]!r}")
    decimals, currency = len(said[2]), said[3]
    left, open_entry = Decimal(0), False
    for number, line in enumerate([*lines[1:], ""], 2):
        if not line.strip():
            if open_entry and left:
                raise Unreadable(f"{number}: the entry above does not balance by {left}")
            left, open_entry = Decimal(0), False
        elif not line.startswith(" "):
            _heading(line, number, within=open_entry)
            open_entry = True
        else:
            left += _posting(line, number, ends, currency, decimals, within=open_entry)
    return {account: end for account, end in ends.items() if end}


def _heading(line: str, number: int, *, within: bool) -> None:
    said = _HEADING.fullmatch(line)
    if said is None or within:
        raise Unreadable(f"{number}: an entry's heading after an empty line, not {line!r}")
    try:
        date.fromisoformat(said[1])
    except ValueError as error:
        raise Unreadable(f"{number}: {error}") from error


def _posting(line: str, number: int, ends: Counter[str], currency: str, decimals: int, *, within: bool) -> Decimal:
    said = _POSTING.fullmatch(line)
    if said is None or not within:
        raise Unreadable(f"{number}: a posting of an entry, not {line!r}")
    account, amount, *others = said[1], *said.groups()[1:]
    if account.partition(":")[0] not in _ROOTS:
        raise Unreadable(f"{number}: an account of one of the five kinds, not {account!r}")
    if {one for one in (others[0], others[2]) if one} != {currency}:
        raise Unreadable(f"{number}: {currency} alone")
    for shown in filter(None, (amount, others[1])):
        if len(shown.partition(".")[2]) not in {0, decimals}:
            raise Unreadable(f"{number}: {decimals} decimals or none, not {shown}")
    ends[account] += Decimal(amount)  # type: ignore[assignment]
    if others[1] is not None and ends[account] != Decimal(others[1]):
        raise Unreadable(f"{number}: {account} is asserted to be {others[1]}, and is {ends[account]}")
    return Decimal(amount)


def hledger_too(file: Path) -> tuple[int, str]:
    """Ask hledger itself, where it is installed; (0, "") where it is not."""
    program = shutil.which("hledger")
    if program is None:
        return 0, ""
    asked = subprocess.run([program, "-f", file, "check"], capture_output=True, text=True, check=False)
    return asked.returncode, asked.stderr

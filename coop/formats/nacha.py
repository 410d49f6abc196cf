"""The file a bank in the United States is asked to pay by: ACH credits to consumers (PPD), as the Nacha rules lay it out.

Records of 94 characters; one batch; numbers are right-aligned with zeros, words left-aligned with blanks; blocks of ten records.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from coop.core.us_account import UsAccount
from coop.formats.xml_writing import bank_text

LARGEST = 10**10 - 1
_CREDITS_ONLY = "220"
_TO_CHECKING, _TO_SAVINGS = "22", "32"
_MODIFIERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Originator(NamedTuple):
    """The co-op, as its bank knows it: the bank's routing number and name, the ten signs the bank gave it, and its own name."""

    routing: str
    bank_name: str
    company_id: str
    name: str


class Credit(NamedTuple):
    reference: str
    name: str
    account: UsAccount
    minor: int


def write_nacha(
    *, number: int, created_at: datetime, pay_on: date, originator: Originator, entries: Sequence[Credit]
) -> bytes:
    """Write the file. `number` tells files of one day apart, `created_at` is in the co-op's zone."""
    assert entries
    assert all(0 < credit.minor <= LARGEST for credit in entries)
    bank = originator.routing[:8]
    total = sum(credit.minor for credit in entries)
    count, hash_total = len(entries), sum(int(credit.account.routing[:8]) for credit in entries) % 10**10
    sums = f"{hash_total:010}{0:012}{total:012}"
    company = _words(originator.company_id, 10)
    names = f"{_words(originator.bank_name, 23)}{_words(originator.name, 23)}{'':8}"
    when = f"{created_at:%y%m%d%H%M}{_MODIFIERS[number % 36]}"
    batch = f"{_words(originator.name, 16)}{'':20}{company}PPD{_words('PAYOUT', 10)}{pay_on:%y%m%d}{pay_on:%y%m%d}   1"
    lines = [
        f"101 {originator.routing}{company}{when}094101{names}",
        f"5{_CREDITS_ONLY}{batch}{bank}{1:07}",
        *(_entry(credit, bank, n) for n, credit in enumerate(entries, 1)),
        f"8{_CREDITS_ONLY}{count:06}{sums}{company}{'':25}{bank}{1:07}",
    ]
    blocks = -(-(len(lines) + 1) // 10)
    lines.append(f"9{1:06}{blocks:06}{count:08}{sums}{'':39}")
    lines += ["9" * 94] * (10 * blocks - len(lines))
    assert all(len(line) == 94 for line in lines), [line for line in lines if len(line) != 94]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _entry(credit: Credit, bank: str, place: int) -> str:
    kind = _TO_SAVINGS if credit.account.is_savings else _TO_CHECKING
    whose = f"{_words(credit.reference, 15)}{_words(credit.name, 22)}"
    return f"6{kind}{credit.account.routing}{credit.account.number:17}{credit.minor:010}{whose}  0{bank}{place:07}"


def _words(text: str, width: int) -> str:
    return f"{bank_text(text, width).upper():{width}}"

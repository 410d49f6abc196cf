"""International bank account numbers: read what a person typed, and say which part looks wrong.

Lengths are those of the SEPA countries (SWIFT, IBAN Registry); the check is ISO 7064 MOD 97-10.
"""

import re
from typing import Final

from coop.core.errors import RuleBroken

_LENGTHS = (
    "AD24 AL28 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GI23 GR27 HR21 HU28 IE22 IS26 IT27 LI21 "
    "LT20 LU20 LV21 MC27 MD24 ME22 MK19 MT31 NL18 NO15 PL28 PT25 RO24 RS22 SE24 SI19 SK24 SM27 VA22"
)
LENGTHS: Final = {word[:2]: int(word[2:]) for word in _LENGTHS.split()}


def read_iban(typed: str, *, field: str = "iban") -> str:
    """Return the number without blanks, in capitals. Raises `iban_format`, `iban_country`, `iban_length` or `iban_checksum`."""
    number = re.sub(r"[ \t\u00a0\u202f-]", "", typed).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,40}", number):
        raise RuleBroken(
            "iban_format", "An IBAN begins with two letters and two digits, such as IE29 AIBK 9311 …", field=field
        )
    length = LENGTHS.get(number[:2])
    if length is None:
        raise RuleBroken("iban_country", f"We cannot pay to accounts of “{number[:2]}”; look at its first two letters.", field=field)  # fmt: skip
    if len(number) != length:
        more = f"{length - len(number)} are missing" if len(number) < length else f"{len(number) - length} are too many"
        raise RuleBroken("iban_length", f"An IBAN of {number[:2]} has {length} characters; {more}.", field=field)
    if not _is_checked(number):
        raise RuleBroken("iban_checksum", _where_it_looks_wrong(number), field=field)
    return number


def in_groups(number: str) -> str:
    """Write an account number in groups of four, as people read it."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _is_checked(number: str) -> bool:
    turned = number[4:] + number[:4]
    return int("".join(str(int(mark, 36)) for mark in turned)) % 97 == 1


def _where_it_looks_wrong(number: str) -> str:
    """Name the group in which two neighbours, once swapped, would make the number right: the usual slip."""
    for place in range(len(number) - 1):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        if swapped != number and re.match(r"[A-Z]{2}[0-9]{2}", swapped) and _is_checked(swapped):
            group = in_groups(number).split()[place // 4]
            return f"This IBAN has a slip in it: in the group {group} two characters look swapped."
    return "This IBAN has a slip in it: its check digits do not fit. Please compare it group by group."

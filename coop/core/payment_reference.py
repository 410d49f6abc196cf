"""The reference that a household writes on its transfer: an RF creditor reference (ISO 11649) that says whose money it is, and what for.

`RF` and two check digits, then a letter and seven digits: S and the number of a season share, H and the household's for credit to
order with, G and the household's for a gift to the hardship fund.
"""

import re
from typing import Final, NamedTuple

SHARE: Final = "S"
CREDIT: Final = "H"
GIFT: Final = "G"

_BETWEEN = r"[ \t.\-/]{0,2}"
_SOUGHT: Final = re.compile(
    _BETWEEN.join((r"(?<![A-Z0-9])R", "F", "[0-9]", "[0-9]", "[SHG]", *["[0-9]"] * 6, "[0-9](?![0-9])"))
)


class PaymentReference(NamedTuple):
    """What a payment is for (`SHARE`, `CREDIT` or `GIFT`), and the number of the share or the household."""

    purpose: str
    number: int

    def written(self) -> str:
        """Write the reference with its check digits, without blanks."""
        assert 0 < self.number < 10**7
        own = f"{self.purpose}{self.number:07}"
        return f"RF{98 - _remainder(own + 'RF00'):02}{own}"


def references_in(words: str) -> set[PaymentReference]:
    """Find the references of ours in what a bank writes, blanks and case aside; those whose check digits do not fit are none."""
    found = set()
    for seen in _SOUGHT.finditer(words.upper()):
        compact = re.sub(r"[^A-Z0-9]", "", seen[0])
        if _remainder(compact[4:] + compact[:4]) == 1 and int(compact[5:]):
            found.add(PaymentReference(compact[4], int(compact[5:])))
    return found


def _remainder(text: str) -> int:
    """ISO 7064 MOD 97-10, letters counted from 10."""
    return int("".join(str(int(mark, 36)) for mark in text)) % 97

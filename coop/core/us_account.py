"""Accounts in the United States: the bank's routing number, proved by its check digit, the number, and what kind it is."""

import re
from typing import NamedTuple, Self

from coop.core.errors import RuleBroken

_DISTRICTS = frozenset((*range(13), *range(21, 33), *range(61, 73), 80))
"""How routing numbers begin: Federal Reserve districts, thrifts, electronic ones, travellers' cheques (ABA)."""


class UsAccount(NamedTuple):
    routing: str
    number: str
    is_savings: bool = False

    def written(self) -> str:
        """Write it as one line, to be sealed."""
        return f"{self.routing} {self.number} {'savings' if self.is_savings else 'checking'}"

    @classmethod
    def of(cls, written: str) -> Self:
        """Read back what `written` wrote."""
        routing, number, kind = written.split(" ")
        return cls(routing, number, kind == "savings")


def read_us_account(routing: str, number: str, *, is_savings: bool) -> UsAccount:
    """Read an account as typed. Raises what `read_routing` does and `account_number`."""
    digits = re.sub(r"[ -]", "", number)
    if re.fullmatch(r"[0-9]{4,17}", digits) is None:
        raise RuleBroken("account_number", "An account number has 4 to 17 digits.", field="account")
    return UsAccount(read_routing(routing), digits, is_savings)


def read_routing(typed: str) -> str:
    """Read a routing number of nine digits: 3, 7 and 1 times them in turn make a multiple of ten (ABA).

    Raises `routing_length`, `routing_district` and `routing_checksum`.
    """
    digits = re.sub(r"[ -]", "", typed)
    if re.fullmatch(r"[0-9]{9}", digits) is None:
        raise RuleBroken("routing_length", "A routing number has nine digits; it stands at the foot of a cheque.", field="routing")  # fmt: skip
    if int(digits[:2]) not in _DISTRICTS or not int(digits):
        raise RuleBroken("routing_district", f"No bank has a routing number that begins with {digits[:2]}.", field="routing")  # fmt: skip
    if sum(weight * int(digit) for weight, digit in zip((3, 7, 1) * 3, digits, strict=True)) % 10:
        raise RuleBroken("routing_checksum", "The last digit of this routing number does not fit the others; compare all nine.", field="routing")  # fmt: skip
    return digits

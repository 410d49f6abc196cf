"""What may be booked by hand: what no event books, on accounts that no party has a balance of."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.ledger import CARD_TRANSIT, CHART, RESULT, UNIDENTIFIED_RECEIPTS, Posting

BY_EVENT_ONLY: Final = frozenset(
    code for code, kind in CHART.items() if kind.per_party or code in {UNIDENTIFIED_RECEIPTS, CARD_TRANSIT, RESULT}
)
"""Accounts that only their own events move: somebody's balance, or something that waits, stands on them."""

OPEN_TO_HAND: Final = tuple(kind for code, kind in sorted(CHART.items()) if code not in BY_EVENT_ONLY)
"""The accounts of entries by hand, in their order."""


class VoucherLine(NamedTuple):
    """One line as it is written: the account, and debit + or credit -."""

    account_code: int
    minor: int


def by_hand(lines: Sequence[VoucherLine]) -> tuple[Posting, ...]:
    """Turn what was written into postings; that they balance, the entry itself sees to.

    Raises `control_account` and `unknown_account`.
    """
    for code, _ in lines:
        if code not in CHART:
            raise RuleBroken("unknown_account", f"There is no account {code} in the chart of accounts.")
        if code in BY_EVENT_ONLY:
            raise RuleBroken("control_account", f"{CHART[code].name} ({code}) is moved by its own events only: record what happened there instead.")  # fmt: skip
    return tuple(Posting(code, "", minor) for code, minor in lines)

"""What becomes of a result: a loss is borne by the reserve, a surplus is divided by bylaw between reserve and those who traded.

The reserve takes its part half up, the rest goes by trade at full price, largest remainder, in the order listed; the part of each that is paid in
cash is rounded up, so that it never falls below the part that a law asks for. Sources: ICA principle 3; 26 CFR 1.1388-1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from coop.core.errors import RuleBroken
from coop.core.ledger import (
    ALLOCATED_EQUITY,
    BANK,
    HARDSHIP_FUND,
    MEMBER_CAPITAL,
    MEMBER_CREDIT,
    OWED_TO_MAKER,
    PATRONAGE_PAYABLE,
    PAYOUT_TRANSIT,
    RESERVE,
    RESULT,
    Posting,
)
from coop.core.money import BASIS_POINTS, share_bp, split

CASH_MINIMUM_BP: Final = 2000
"""The part of a dividend that is paid in money at least, unless the co-op's law says otherwise: 26 CFR 1.1388-1(c)."""

EVERYBODY: Final = "everybody"
SHARE_HOLDERS: Final = "share_holders"
STAKE_HOLDERS: Final = "stake_holders"
PATRONS: Final = (EVERYBODY, SHARE_HOLDERS, STAKE_HOLDERS)
"""Whose purchases count: every household's, those with a season share in the time, or those with capital in the co-op."""


class Bylaw(NamedTuple):
    """How a surplus is divided, in basis points: reserve, members, makers and other purposes make the whole; `cash_bp` of each part is money."""

    reserve_bp: int
    members_bp: int
    makers_bp: int = 0
    other_bp: int = 0
    cash_bp: int = CASH_MINIMUM_BP
    patrons: str = EVERYBODY


class Trade(NamedTuple):
    """What a household bought, or a maker earned, in the time of a dividend; `minor` may be negative after credit notes."""

    party: str
    minor: int


class Part(NamedTuple):
    """What one of them gets: cash + retained = amount."""

    party: str
    trade: int
    amount: int
    cash: int
    retained: int


@dataclass(frozen=True, slots=True)
class Division:
    """A surplus divided; reserve + other + all parts = result. `from_outside` is in the reserve: what non-members' trade earned."""

    result: int
    from_outside: int
    reserve: int
    other: int
    members: tuple[Part, ...]
    makers: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everybody's part: members first."""
        return self.members + self.makers


def check_bylaw(bylaw: Bylaw, *, cash_minimum_bp: int = CASH_MINIMUM_BP) -> None:
    """Hold a bylaw against itself and the law. Raises `bad_rate`, `does_not_add_up`, `cash_below_minimum` or `unknown_patrons`."""
    parts = bylaw[:4]
    if any(not 0 <= part <= BASIS_POINTS for part in (*parts, bylaw.cash_bp)):
        raise RuleBroken("bad_rate", "Each part is from 0 to 100 %.")
    if sum(parts) != BASIS_POINTS:
        told = f"{sum(parts) // 100}.{sum(parts) % 100:02}"
        raise RuleBroken("does_not_add_up", f"Reserve, members, makers and other purposes must make 100 %; these make {told} %.", field="reserve")  # fmt: skip
    if bylaw.cash_bp < cash_minimum_bp:
        least = f"{cash_minimum_bp // 100}.{cash_minimum_bp % 100:02}"
        raise RuleBroken("cash_below_minimum", f"At least {least} % of each dividend is paid in money.", field="cash")
    if bylaw.patrons not in PATRONS:
        raise RuleBroken("unknown_patrons", "Say whose purchases count: everybody's, share holders' or stake holders'.", field="patrons")  # fmt: skip


def divide(
    result: int, bylaw: Bylaw, members: Sequence[Trade], makers: Sequence[Trade] = (), *, outside: int = 0
) -> Division:
    """Divide a surplus. `outside` is the trade of households that are no members: what it earned goes to the reserve.

    Raises `no_surplus`, and `no_weights` where a part is due to those who traded and nobody did.
    """
    if result <= 0:
        raise RuleBroken("no_surplus", "There is no surplus to divide: the result is nothing or a loss.")
    bought = [max(trade.minor, 0) for trade in members]
    outside = max(outside, 0)
    from_outside = split(result, [sum(bought), outside])[1] if outside else 0
    inside = result - from_outside
    reserve = share_bp(inside, bylaw.reserve_bp)
    by_purpose = (bylaw.members_bp, bylaw.makers_bp, bylaw.other_bp)
    to_members, to_makers, other = split(inside - reserve, by_purpose) if any(by_purpose) else (0, 0, 0)
    return Division(
        result,
        from_outside,
        reserve + from_outside,
        other,
        _by_trade(to_members, members, bylaw.cash_bp),
        _by_trade(to_makers, makers, bylaw.cash_bp),
    )


def _by_trade(total: int, trades: Sequence[Trade], cash_bp: int) -> tuple[Part, ...]:
    """Give each a part of the total by trade; whom rounding leaves nothing is left out."""
    if not total:
        return ()
    weights = [max(trade.minor, 0) for trade in trades]
    if not any(weights):
        raise RuleBroken("no_weights", "Nobody traded with the co-op in this time, so there is nobody to divide it among.")  # fmt: skip
    parts = zip(trades, split(total, weights), strict=True)
    return tuple(_part(trade, amount, cash_bp) for trade, amount in parts if amount)


def _part(trade: Trade, amount: int, cash_bp: int) -> Part:
    cash = -(-amount * cash_bp // BASIS_POINTS)
    return Part(trade.party, trade.minor, amount, cash, amount - cash)


def result_closed(balances: Mapping[int, int]) -> tuple[Posting, ...]:
    """Empty the income and expense of a period (by account, debit +) into its result; nothing at all gives no postings."""
    emptied = [Posting(code, "", -minor) for code, minor in sorted(balances.items()) if minor]
    total = sum(balances.values())
    return (*emptied, Posting(RESULT, "", total)) if total else tuple(emptied)


def loss_covered(minor: int) -> tuple[Posting, ...]:
    """The reserve bears a loss; `minor` is above 0."""
    return Posting(RESERVE, "", minor), Posting(RESULT, "", -minor)


def surplus_divided(division: Division) -> tuple[Posting, ...]:
    """The result goes where the bylaw sends it: reserve, other purposes, and to each a part in cash and a part retained."""
    own = Posting(RESULT, "", division.result), Posting(RESERVE, "", -division.reserve)
    other = Posting(HARDSHIP_FUND, "", -division.other)
    return tuple(one for one in (*own, other, *_allotted(division.parts)) if one.amount)


def _allotted(parts: Iterable[Part]) -> Iterable[Posting]:
    for part in parts:
        yield Posting(PATRONAGE_PAYABLE, part.party, -part.cash)
        yield Posting(ALLOCATED_EQUITY, part.party, -part.retained)


def dividend_sent(party: str, payment: str, minor: int) -> tuple[Posting, ...]:
    """The cash part is on its way to a household."""
    return Posting(PATRONAGE_PAYABLE, party, minor), Posting(PAYOUT_TRANSIT, payment, -minor)


def dividend_credited(party: str, minor: int) -> tuple[Posting, ...]:
    """The cash part becomes a household's credit, or goes on a maker's next payout."""
    to = OWED_TO_MAKER if party.startswith("artisan:") else MEMBER_CREDIT
    return Posting(PATRONAGE_PAYABLE, party, minor), Posting(to, party, -minor)


def capital_paid_in(household: str, minor: int) -> tuple[Posting, ...]:
    """A member pays capital in."""
    return Posting(BANK, "", minor), Posting(MEMBER_CAPITAL, household, -minor)


def given_to_reserve(minor: int) -> tuple[Posting, ...]:
    """Somebody gives money to the co-op's reserve."""
    return Posting(BANK, "", minor), Posting(RESERVE, "", -minor)


def bought_back(household: str, payment: str, minor: int, *, code: int = MEMBER_CAPITAL) -> tuple[Posting, ...]:
    """The co-op buys capital, or a retained dividend (`code`), back from a household; the money is on its way."""
    return Posting(code, household, minor), Posting(PAYOUT_TRANSIT, payment, -minor)

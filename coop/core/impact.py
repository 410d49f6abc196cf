"""The published figures: what each is called, how it is computed, and when it must be withheld because it would show one maker.

All figures are of a whole season. Sums of makers' money are published only when no maker can be worked out from them, neither from one
publication nor from the difference of two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from coop.core.money import BASIS_POINTS, half_up

FEWEST_MAKERS: Final = 5
SMALL_COUNT: Final = 10
WITHHELD: Final = "Withheld: with so few makers, or one so large, it would show what a single maker earned."


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure; `value` is None where there is nothing to tell or it is `withheld`, which says why.

    `unit` is `minor` (of the currency), `minor_of_ten` (of each 10.00), `basis_points`, `days`, `members` or `makers`. `coverage` says how much
    of the whole it rests on.
    """

    name: str
    value: int | None
    unit: str
    formula: str
    as_of: date
    coverage: str
    withheld: str = ""


def may_publish_sum(contributions: Iterable[int]) -> bool:
    """Say whether a sum of makers' amounts hides each of them: five or more contribute, and by the p % rule no second can work out the first.

    The rule, of US statistical agencies (FCSM working paper 22): what is left without the two largest is at least 20 % of the largest.
    """
    amounts = sorted((amount for amount in contributions if amount > 0), reverse=True)
    return len(amounts) >= FEWEST_MAKERS and 5 * sum(amounts[2:]) >= amounts[0]


def may_follow(published: Mapping[int, int], now: Mapping[int, int]) -> bool:
    """Say whether sums of `now` may be published after those of `published` (amounts by maker): their difference must hide each maker too.

    Nothing new may always be published again. Without it, two snapshots around one maker's payout would tell its amount.
    """
    changes = [abs(now.get(maker, 0) - published.get(maker, 0)) for maker in {**published, **now}]
    return not any(changes) or may_publish_sum(changes)


def shown_count(count: int) -> str:
    """Write a count of people in need or in a small group: 1 to 10 become “under 11”, and nobody may be said."""
    return f"under {SMALL_COUNT + 1}" if 1 <= count <= SMALL_COUNT else str(count)


def paid_to_makers(paid: Mapping[int, int], *, makers: int, as_of: date) -> Figure:
    """Add up what the bank confirmed as paid, by maker."""
    formula = "The sum of the season's payouts that the bank confirmed, less those it returned."
    return _of_makers("paid_to_makers", sum(paid.values()), "minor", formula, as_of, paid, makers)


def makers_part_of_ten(
    nets: Mapping[int, int], *, prices: int, taxes: int, ten: int, makers: int, as_of: date
) -> Figure:
    """Say how much of each 10 that members paid for goods the makers earned; `ten` is 10 in minor units, `prices` are without deposits."""
    formula = (
        "What makers earned on pieces handed over, divided by what members paid for them less tax; deposits are left out. "
        "It is before the makers' own materials and time."
    )
    base = prices - taxes
    value = half_up(sum(nets.values()) * ten, base) if base > 0 else None
    return _of_makers("makers_part_of_ten", value, "minor_of_ten", formula, as_of, nets, makers)


def fill_rate(*, awarded: int, wished: int, batches: int, as_of: date) -> Figure:
    """Say which part of the pieces wished for was awarded; what was given beyond a wish does not count as `awarded`."""
    formula = "Pieces awarded divided by pieces wished for, in all batches shared out."
    value = half_up(awarded * BASIS_POINTS, wished) if wished else None
    return Figure("fill_rate", value, "basis_points", formula, as_of, f"{batches} batches")


def members_fully_served(*, served: int, wishing: int, as_of: date) -> Figure:
    """Say which part of the members who wished for something got every piece of it; shown next to the fill rate, which is a mean."""
    formula = "Members who were awarded every piece they wished for, divided by members who wished for anything."
    value = half_up(served * BASIS_POINTS, wishing) if wishing else None
    return Figure("members_fully_served", value, "basis_points", formula, as_of, f"{wishing} members")


def pay_speed(lines_by_days: Mapping[int, int], *, handed_over: int, as_of: date) -> Figure:
    """Find the median number of days from hand-over to the bank's confirmation, given how many lines took how many days."""
    formula = "The median, over lines handed over and paid, of the days from hand-over to the bank's confirmation of the payout."
    paid = sum(lines_by_days.values())
    return Figure("pay_speed", _median(lines_by_days), "days", formula, as_of, f"{paid} of {handed_over} lines")


def makers_count(makers: int, *, as_of: date) -> Figure:
    """Count the makers whose pieces were offered in the season."""
    return Figure(
        "makers", makers, "makers", "Makers with at least one product offered in the season.", as_of, "all makers"
    )


def members_count(members: int, *, as_of: date) -> Figure:
    """Count the member households of the season."""
    formula = "Households with a season share or an order in the season."
    return Figure("members", members, "members", formula, as_of, "all households")


def _of_makers(
    name: str, value: int | None, unit: str, formula: str, as_of: date, by_maker: Mapping[int, int], makers: int
) -> Figure:
    contributing = sum(1 for amount in by_maker.values() if amount > 0)
    hidden = value is not None and not may_publish_sum(by_maker.values())
    coverage = f"{contributing} of {makers} makers"
    return Figure(name, None if hidden else value, unit, formula, as_of, coverage, WITHHELD if hidden else "")


def _median(counts: Mapping[int, int]) -> int | None:
    """Find the median of counted values; between two middle ones it is their mean, half up."""
    total = sum(counts.values())
    if total == 0:
        return None
    middle: list[int] = []
    for place in ((total - 1) // 2, total // 2):
        seen = 0
        for value in sorted(counts):
            seen += counts[value]
            if seen > place:
                middle.append(value)
                break
    return half_up(sum(middle), 2)

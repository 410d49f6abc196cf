"""How a standing goes on when members join, leave, merge or split: whole micro-units, nothing lost, nobody favoured."""

from collections.abc import Mapping
from fractions import Fraction
from math import floor


def spread_equally(total: int, ranks: Mapping[int, int]) -> dict[int, int]:
    """Spread a leaver's balance equally over those who stay; odd micro-units go one each, lowest rank first.

    A debt is spread as the credit of the same size would be.
    """
    part, odd = divmod(abs(total), len(ranks))
    sign = 1 if total >= 0 else -1
    first = sorted(ranks, key=lambda member: (ranks[member], member))[:odd]
    parts = dict.fromkeys(ranks, sign * part)
    for member in first:
        parts[member] += sign
    return parts


def opening_sum(weight: int, entitled: int, members: Mapping[int, tuple[int, int]]) -> int:
    """Give what puts a newcomer's head at the average of the members then in the season.

    `members` holds (sum of entitlements so far, weight) of each, without the newcomer; what the newcomer was entitled
    to before, as a guest, counts towards it.
    """
    weights = sum(own for _, own in members.values())
    if weights == 0:
        return 0
    average = Fraction(sum(so_far for so_far, _ in members.values()), weights)
    return floor(average * weight) - entitled


def part_by_points(balance: int, leaving: int, staying: int) -> int:
    """Give the part of a balance that goes with `leaving` share points; the odd micro-unit stays.

    By points the head of either part is that of the whole, so nobody comes forward by splitting.
    """
    part = abs(balance) * leaving // (leaving + staying)
    return part if balance >= 0 else -part

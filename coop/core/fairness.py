"""How fairly a pool was shared out, as exact figures: lowest fill rate, and Jain's index of fairness.

Jain, Chiu & Hawe, "A Quantitative Measure of Fairness" (DEC TR-301, 1984).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import TypeVar

Member = TypeVar("Member")


def lowest_fill(lines: Iterable[tuple[int, int]]) -> Fraction:
    """Give the least award / wish of (award, wish) lines; lines that wish nothing do not count, and none at all is 1."""
    least: dict[int, int] = {}
    for award, wish in lines:
        least[wish] = min(award, least.get(wish, wish))
    return min((Fraction(award, wish) for wish, award in least.items() if wish > 0), default=Fraction(1))


def jain(members: Mapping[Member, tuple[int, int]]) -> Fraction:
    """Give (sum f)^2 / (n sum f^2) over the members, f = awarded / wished; 1 when all fare alike."""
    fills = Counter(Fraction(awarded, wished) for awarded, wished in members.values() if wished > 0)
    squares = _sum((fill * fill, many) for fill, many in fills.items())
    if squares == 0:
        return Fraction(1)
    return _sum(fills.items()) ** 2 / (fills.total() * squares)


def four_decimals(ratio: Fraction) -> str:
    """Write a ratio from 0 on with four decimals, halves up."""
    whole = (2 * 10_000 * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    return f"{whole // 10_000}.{whole % 10_000:04}"


def _sum(terms: Iterable[tuple[Fraction, int]]) -> Fraction:
    """Add fractions times whole numbers over their one common denominator."""
    numerators: Counter[int] = Counter()
    for fraction, many in terms:
        numerators[fraction.denominator] += fraction.numerator * many
    common = lcm(*numerators)
    return Fraction(sum(numerator * (common // own) for own, numerator in numerators.items()), common)

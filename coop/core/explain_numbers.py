"""How numbers are written in a sentence to a member: pieces by their name, parts of them in hundredths, places in an order.

Nothing is decided by what is rounded here.
"""

from dataclasses import dataclass
from fractions import Fraction

from coop.core.claims import MICRO


@dataclass(frozen=True, slots=True)
class Wording:
    """What the pieces are called, one and several: jar, jars."""

    one: str
    several: str

    def of(self, pieces: int) -> str:
        return f"{pieces:,} {self.word(pieces)}"

    def word(self, pieces: int) -> str:
        return self.one if pieces == 1 else self.several


def agreeing(level: Fraction, weight: int, part: Fraction) -> tuple[str, str]:
    """Tell a level with so many decimals that weight times what is told rounds to the part that is told."""
    part_told = rounded(part * 100)
    for decimals in range(2, 7):
        told = rounded(level * 10**decimals)
        if part != level * weight or rounded(Fraction(told * weight * 100, 10**decimals)) == part_told:
            break
    return f"{told // 10**decimals}.{told % 10**decimals:0{decimals}}", amount(part_told)


def parts(pieces: Fraction) -> str:
    return amount(rounded(pieces * 100))


def hundredths(micro: int) -> int:
    """Round micro-units to hundredths of a piece, halves away from zero."""
    return rounded(Fraction(100 * micro, MICRO))


def rounded(number: Fraction) -> int:
    """Round to a whole number, halves away from zero."""
    below = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return -below if number < 0 else below


def amount(hundredths: int) -> str:
    """Write hundredths of a piece: 0.62."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"


def ordinal(place: int) -> str:
    """Write a place in an order: 1st, 2nd, 3rd, 4th, 11th."""
    if place % 100 in {11, 12, 13}:
        return f"{place:,}th"
    return f"{place:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th') }"

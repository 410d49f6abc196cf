"""What the hardship fund bears of an order line: by a subsidy or a household's tier, and for each number of its pieces.

Makers and the co-op's fee always see the full price. A fund's part below zero means that the household pays more than the price, and the
fund gets the rest.
"""

from typing import NamedTuple

from coop.core.errors import RuleBroken
from coop.core.money import BASIS_POINTS, half_up, share_bp

HIGHEST_TIER_BP = 2 * BASIS_POINTS
"""Nobody is asked for more than twice the price."""


class Help(NamedTuple):
    """How the fund stands in for a line: a tier (the household's part of the price in basis points), or a sum for the whole line."""

    tier_bp: int = BASIS_POINTS
    subsidy_minor: int = 0


NO_HELP = Help()


def check_tier(tier_bp: int) -> int:
    """Return a tier that is one. Raises `bad_tier`."""
    if not 0 <= tier_bp <= HIGHEST_TIER_BP:
        raise RuleBroken("bad_tier", "A household pays between 0 % and 200 % of the price.", field="tier")
    return tier_bp


def fund_bears(help_given: Help, full_minor: int) -> int:
    """Return what the fund bears of a line's full price, deposits apart; below zero what it gets.

    The household's price is half up on the line's amount. Raises `bad_tier`, and `bad_subsidy` beyond the household's own part.
    """
    price = share_bp(full_minor, check_tier(help_given.tier_bp))
    if not 0 <= help_given.subsidy_minor <= price:
        raise RuleBroken("bad_subsidy", "The fund gives between nothing and the price of the line.", field="subsidy")
    return full_minor - price + help_given.subsidy_minor


def at_most_of(unit_minor: int, tier_bp: int) -> int:
    """Return what a piece costs a household of this tier at most, rounded up; a whole line is rounded once."""
    return -(-unit_minor * tier_bp // BASIS_POINTS)


def fund_part(pieces: int, of_pieces: int, unit_minor: int, fund_minor: int) -> int:
    """Return what the fund bears for some of the pieces of a line for all of which it bears `fund_minor`.

    By largest remainder of the line's two parts, household and fund; a tie goes to the household. 0 <= pieces <= of_pieces.
    """
    if not fund_minor or not pieces:
        return 0
    assert 0 <= pieces <= of_pieces
    household = half_up(pieces * (of_pieces * unit_minor - fund_minor), of_pieces)
    return pieces * unit_minor - household

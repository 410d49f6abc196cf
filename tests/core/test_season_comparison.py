"""A season under one rule after another, small enough to be counted by hand."""

from fractions import Fraction

import numpy as np

from coop.core.claims import MICRO, STANDING_RULE
from coop.core.season_comparison import compare_season, season_pools

ANA, TOMAS = 0, 1
FIRST_COME = "priority@1"


def four_weeks_of_one_jar():
    """One jar a week for Ana and Tomas, who weigh the same and wish one each; Ana always orders first."""
    weeks = range(4)
    rows = [(week, 0, member, 1, 10 + member) for week in weeks for member in (ANA, TOMAS)]
    columns = list(np.array(rows, np.int64).T)
    yields = {(week, 0): (f"week-{week}", 1) for week in weeks}
    return season_pools(columns, yields, ["a", "b"], [1, 1], [bytes([week]) * 32 for week in weeks])


def test_standing_takes_turns_and_first_come_always_serves_the_same():
    standing, first_come = compare_season(four_weeks_of_one_jar(), 2, [STANDING_RULE, FIRST_COME])
    # half a jar a week is each one's part; by standing nobody is ever without twice in a row
    assert (standing.received, standing.wished, standing.members, standing.fully_served) == (4, 8, 2, 0)
    assert (standing.lowest, standing.tenth, standing.median, standing.jain) == (*[Fraction(1, 2)] * 3, Fraction(1))
    assert (standing.most_short, standing.hundredth_short) == (0, 0)
    assert standing.longest_misses <= 2
    assert (first_come.received, first_come.fully_served, first_come.lowest) == (4, 1, Fraction(0))
    assert first_come.jain == Fraction(1, 2)
    assert (first_come.most_short, first_come.longest_misses) == (2 * MICRO, 4)

"""A season under one rule after another, small enough to be counted by hand."""

from fractions import Fraction

import numpy as np

from coop.core.claims import MICRO, STANDING_RULE
from coop.core.season_comparison import compare_season, season_pools
from coop.core.season_report import MemberFill, report

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


def test_a_report_tells_what_really_came_of_a_season_beside_what_a_rule_would_have_made():
    # Ana got the jar in the first three weeks, Tomas in the last: three weeks without for him, one for her.
    awards = [[[1, 0]]] * 3 + [[[0, 1]]]
    actual, standing = report(four_weeks_of_one_jar(), awards, 2, FIRST_COME, [STANDING_RULE])
    assert actual.under.rule == FIRST_COME
    assert (actual.under.received, actual.under.wished, actual.under.longest_misses) == (4, 8, 3)
    # Fill rates 3/4 and 1/4: Jain's index is 1 / (2 x (9/16 + 1/16)).
    assert actual.under.jain == Fraction(4, 5)
    assert actual.under.most_short == MICRO  # entitled to half a jar a week, so to 2; Tomas received 1
    assert actual.histogram == (0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0)
    assert actual.lowest == (MemberFill(TOMAS, 4, 1, 3), MemberFill(ANA, 4, 3, 1))
    assert actual.unserved == (MemberFill(TOMAS, 4, 1, 3), MemberFill(ANA, 4, 3, 1))
    assert actual.rows == ((3, 1), (1, 1))
    assert standing == next(iter(compare_season(four_weeks_of_one_jar(), 2, [STANDING_RULE])))

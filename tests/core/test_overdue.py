"""How many containers are out too long, if the oldest come back first."""

import pytest

from coop.core.ledger import DEPOSITS_HELD, FORFEITED_DEPOSITS, MEMBER_CREDIT, Posting
from coop.core.returnables import brought_back, forfeited, overdue


@pytest.mark.parametrize(("went_by_then", "gone", "late"), [(5, 0, 5), (5, 3, 2), (5, 5, 0), (5, 8, 0), (0, 0, 0)])
def test_what_came_back_counts_against_the_oldest(went_by_then, gone, late):
    assert overdue(went_by_then, gone) == late


def test_a_deposit_goes_back_to_its_household_or_to_the_co_op():
    assert brought_back("household:1", 200) == (
        Posting(DEPOSITS_HELD, "household:1", 200),
        Posting(MEMBER_CREDIT, "household:1", -200),
    )
    assert forfeited("household:1", 200) == (
        Posting(DEPOSITS_HELD, "household:1", 200),
        Posting(FORFEITED_DEPOSITS, "", -200),
    )

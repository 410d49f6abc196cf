"""What the hardship fund bears of a line: the full price less the household's part, which is rounded half up once."""

from __future__ import annotations

import pytest

from coop.core.errors import RuleBroken
from coop.core.hardship import NO_HELP, Help, check_tier, fund_bears


@pytest.mark.parametrize(
    ("help_given", "full", "fund"),
    [
        (NO_HELP, 1000, 0),
        (Help(tier_bp=5000), 1000, 500),
        (Help(tier_bp=5000), 333, 166),  # half of 3.33 is 1.665, half up 1.67 for the household
        (Help(tier_bp=0), 333, 333),
        (Help(tier_bp=15_000), 1000, -500),  # who pays more than the price gives to the fund
        (Help(subsidy_minor=400), 1000, 400),
        (Help(tier_bp=5000, subsidy_minor=500), 1000, 1000),
    ],
)
def test_the_fund_bears_what_the_household_does_not(help_given, full, fund):
    assert fund_bears(help_given, full) == fund


@pytest.mark.parametrize("tier", [-1, 20_001])
def test_a_household_pays_between_nothing_and_twice_the_price(tier):
    assert (check_tier(0), check_tier(20_000)) == (0, 20_000)
    for refused_by in (check_tier, lambda tier: fund_bears(Help(tier_bp=tier), 1000)):
        with pytest.raises(RuleBroken) as refused:
            refused_by(tier)
        assert (refused.value.code, refused.value.field) == ("bad_tier", "tier")


@pytest.mark.parametrize("help_given", [Help(subsidy_minor=-1), Help(subsidy_minor=1001), Help(5000, 501)])
def test_the_fund_gives_no_more_than_the_household_would_pay(help_given):
    with pytest.raises(RuleBroken) as refused:
        fund_bears(help_given, 1000)
    assert (refused.value.code, refused.value.field) == ("bad_subsidy", "subsidy")

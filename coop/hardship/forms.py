"""What those who grant a tier send."""

from coop.core.hardship import HIGHEST_TIER_BP
from coop.web.fields import DayField, PercentField, TextLine
from coop.web.forms import CoopForm


class TierForm(CoopForm):
    tier = PercentField(
        "It pays, percent of each price",
        least=0,
        most=HIGHEST_TIER_BP // 100,
        description="100 is the price itself. Below it the hardship fund bears the rest, above it the fund gets the rest.",
    )
    through = DayField(
        "Until, that day included", description="Orders placed by then are helped; they stay as they are."
    )
    reason = TextLine("What was agreed", description="Only treasurers and admins read it.")

"""What treasurers send about bylaw and dividend."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.core.dividend import EVERYBODY, SHARE_HOLDERS, STAKE_HOLDERS, Bylaw
from coop.web.fields import AmountField, DayField, PercentField
from coop.web.forms import CoopForm


class BylawForm(CoopForm):
    in_force_from = DayField(
        "In force from", description="A dividend goes by the bylaw that was in force before the first sale it covers."
    )
    reserve = PercentField("To the reserve, percent", least=0, most=100)
    members = PercentField("To members by what they bought, percent", least=0, most=100)
    makers = PercentField("To makers by what they earned, percent", least=0, most=100)
    other = PercentField("To the hardship fund, percent", least=0, most=100)
    cash = PercentField(
        "Paid in money, percent of each dividend",
        least=0,
        most=100,
        description="The rest stays in the co-op in the member's name. Rounded up to the cent.",
    )
    patrons = RadioField(
        "Whose purchases count",
        choices=[
            SelectChoice(EVERYBODY, "every household's"),
            SelectChoice(SHARE_HOLDERS, "those of households with a season share in that time"),
            SelectChoice(STAKE_HOLDERS, "those of households with capital in the co-op"),
        ],
        default=EVERYBODY,
        description="What others' purchases earned goes to the reserve.",
    )

    def bylaw(self) -> Bylaw:
        """Return the bylaw as it was typed."""
        parts = {f"{name}_bp": self[name].data for name in ("reserve", "members", "makers", "other", "cash")}
        return Bylaw(**parts, patrons=self.patrons.data)


class ThroughForm(CoopForm):
    through = DayField("Divide the closed months up to")


class AgreeForm(CoopForm):
    """One button of a page that shows what it does."""


class PayForm(CoopForm):
    minimum = AmountField(
        "Smallest payment", least=0, description="What is less becomes the household's credit to order with."
    )

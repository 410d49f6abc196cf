"""What a treasurer types to do something with prepaid money; it is seen before it is booked."""

from collections.abc import Iterable

from wtforms import HiddenField, SelectField
from wtforms.fields.choices import SelectChoice

from coop.web.fields import AmountField, TextLine
from coop.web.forms import CoopForm


class PrepaidForm(CoopForm):
    amount = AmountField("Amount")
    reason = TextLine("Why", most=200, description="The household reads it in its mail, and it stays in the books.")
    shown = HiddenField()  # what was looked at; empty where nothing was yet


class MoveForm(PrepaidForm):
    to = SelectField("To the household", coerce=int)

    def offer(self, households: Iterable[tuple[int, str]]) -> "MoveForm":
        """Offer the households that hold a season share."""
        self.to.choices = [SelectChoice(*one) for one in households]
        return self

"""What treasurers send about stakes and payments to households."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm


class BuyBackForm(CoopForm):
    of = RadioField(
        "What is bought back",
        choices=[SelectChoice("capital", "capital that was paid in"), SelectChoice("retained", "retained dividends")],
        default="capital",
    )
    amount = AmountField("Amount")
    reason = TextLine("Why", most=300, description="It stays in the books: leaves the co-op, the assembly's decision.")


class PaidForm(CoopForm):
    on = DayField("The bank sent it on")

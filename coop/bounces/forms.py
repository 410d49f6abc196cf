"""What a treasurer says of a payment that the bank took back."""

from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm


class BouncedForm(CoopForm):
    on = DayField("The bank took it back on")
    reason = TextLine(
        "Why", most=200, description="As the bank says it: the account was closed. The household reads it."
    )
    bank_fee = AmountField("What the bank charged for it", least=0, default=0, optional=True)

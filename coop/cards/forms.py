"""What a member pays by card, and for what."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.web.fields import AmountField
from coop.web.forms import CoopForm


class CardForm(CoopForm):
    purpose = RadioField(
        "What for",
        choices=[
            SelectChoice("share", "my season share; what is more becomes credit"),
            SelectChoice("credit", "credit to order with"),
            SelectChoice("gift", "a gift to the hardship fund"),
        ],
        default="credit",
    )
    amount = AmountField("Amount")

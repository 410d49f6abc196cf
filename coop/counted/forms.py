"""What treasurers note of the outside world."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.core.ledger import BANK, CARD_TRANSIT, DEPOSITS_HELD
from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm


class CountForm(CoopForm):
    account = RadioField(
        "What was looked at",
        coerce=int,
        choices=[
            SelectChoice(BANK, "the bank account"),
            SelectChoice(CARD_TRANSIT, "what the card provider has for us"),
            SelectChoice(DEPOSITS_HELD, "containers that are out, at their deposits"),
        ],
        default=BANK,
        validators=[InputRequired("Please say what was looked at.")],
    )
    on = DayField("At the end of")
    amount = AmountField("What stood there", least=0)
    note = TextLine("Where you saw it", most=200, optional=True, description="The bank's own page, the count of jars.")

"""What treasurers send about payouts."""

from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.core.bank_reasons import REASONS
from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm


class ApproveForm(CoopForm):
    """One button: the page asked afresh who it is before it showed the sums."""


class CallOffForm(CoopForm):
    reason = TextLine("Why it is called off", description="It stays with the run, for everybody who may see it.")


class BankAnswerForm(CoopForm):
    said = RadioField(
        "What became of the bank file",
        choices=[
            SelectChoice("accepted", "The bank has accepted it"),
            SelectChoice("not_accepted", "The bank did not accept it: it may be handed in once more, the same file"),
            SelectChoice("unknown", "I cannot tell yet"),
        ],
        validators=[InputRequired("Please say what became of it.")],
    )
    reason = TextLine(
        "How you know",
        optional=True,
        description="Whom you asked at the bank, or what you saw there. It stays with the run; needed unless all went well.",
    )


class PaymentFateForm(CoopForm):
    said = RadioField(
        "What the bank did",
        choices=[
            SelectChoice("paid", "It has paid it"),
            SelectChoice("refused", "It refused it, before any money moved"),
            SelectChoice("came_back", "It paid it, and the money came back"),
        ],
        validators=[InputRequired("Please say what the bank did.")],
    )
    on = DayField("On")
    reason = SelectField(
        "Its reason",
        choices=[SelectChoice("", "none, or none given")]
        + [SelectChoice(code, f"{code}: {words}") for code, words in REASONS.items()],
        default="",
        description="Where it refused it or sent it back.",
    )
    fee = AmountField("What the bank charged for it", least=0, optional=True, description="Only where money came back.")

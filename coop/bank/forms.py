"""What treasurers send about money that came in."""

from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.bank.queries import RecordPage
from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm

CREDIT = "credit"


class PaymentForm(CoopForm):
    purpose = RadioField("What it is for", validators=[InputRequired("Please say what it is for.")])
    amount = AmountField("Amount", description="As the bank statement has it.")
    received_on = DayField("Received on")
    reference = TextLine(
        "Reference", most=100, description="As the bank or the till names it; it is recorded once only."
    )

    def offer(self, page: RecordPage) -> "PaymentForm":
        """Offer what the payment can be for; a form not sent yet starts with the bank's receipt it is about."""
        choices = [SelectChoice(str(share.id), share.words) for share in page.shares]
        self.purpose.choices = [*choices, SelectChoice(CREDIT, "Credit to order with")]
        if not self.is_submitted():
            self.purpose.data = CREDIT if not page.shares else None
            if page.line is not None:
                self.amount.data, self.received_on.data = page.line.amount_minor, page.line.booked_on
                self.reference.data = page.line.reference
        return self

    def share_id(self) -> int | None:
        """Return the share that is paid for, None for credit."""
        return None if self.purpose.data == CREDIT else int(self.purpose.data)


class StatementForm(CoopForm):
    file = FileField(
        "Bank statement",
        description="A file of at most 5 MB as your bank exports it: camt.053, MT940 or OFX. It is taken in whole, or not at all.",
        validators=[FileRequired("Please choose a file.")],
    )

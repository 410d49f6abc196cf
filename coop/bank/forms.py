"""What treasurers send about money that came in."""

from contextlib import closing

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.columns.queries import ColumnsPage
from coop.formats.bank_csv import Columns
from coop.incoming.queries import RecordPage
from coop.web.fields import AmountField, DayField, TextLine
from coop.web.forms import CoopForm

CREDIT = "credit"
GIFT = "gift"
CAPITAL = "capital"
RESERVE = "reserve"


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
        self.purpose.choices = [
            *choices,
            SelectChoice(CREDIT, "Credit to order with"),
            SelectChoice(GIFT, "A gift to the hardship fund"),
            SelectChoice(CAPITAL, "Capital in the co-op"),
            SelectChoice(RESERVE, "A gift to the co-op's reserve"),
        ]
        if not self.is_submitted():
            self.purpose.data = CREDIT if not page.shares else None
            if page.line is not None:
                self.amount.data, self.received_on.data = page.line.amount_minor, page.line.booked_on
                self.reference.data = page.line.reference
        return self

    def share_id(self) -> int | None:
        """Return the share that is paid for, None for credit."""
        return None if self.purpose.data in {CREDIT, GIFT, CAPITAL, RESERVE} else int(self.purpose.data)


class StatementForm(CoopForm):
    file = FileField(
        "Bank statement",
        description="A file of at most 5 MB as your bank exports it: camt.053, MT940, OFX or CSV; or its report on a payment file, pain.002. It is taken in whole, or not at all.",
        validators=[FileRequired("Please choose a file.")],
    )
    again = BooleanField(
        "Ask me again what the columns of this CSV file are",
        description="Only where they were said wrongly before; else they are remembered.",
    )

    def content(self) -> bytes:
        """Read the file that was sent, and let go of it."""
        with closing(self.file.data) as sent:
            content: bytes = sent.read()
        return content


def _column(label: str, description: str = "") -> SelectField:
    return SelectField(label, description=description, validate_choice=False)


class ColumnsForm(CoopForm):
    booked_on = _column("Day of booking")
    day_order = RadioField(
        "Days are written",
        choices=[
            SelectChoice("dmy", "day, month, year: 24.11.2026"),
            SelectChoice("ymd", "year, month, day: 2026-11-24"),
            SelectChoice("mdy", "month, day, year: 11/24/2026"),
        ],
    )
    amount = _column("Amount, with a sign", "Or, where the bank has two columns, the next two.")
    paid_in = _column("Amount that came in")
    paid_out = _column("Amount that went out")
    decimal = RadioField(
        "Cents stand behind",
        choices=[SelectChoice(",", "a comma: 1.234,50"), SelectChoice(".", "a point: 1,234.50")],
    )
    balance = _column("Balance after the line")
    closing = AmountField(
        "Balance after the last line",
        least=0,
        optional=True,
        description="Only where no column holds balances: as the bank states it.",
    )
    text = _column("Purpose, what the payer wrote")
    name = _column("Name of the other side")
    iban = _column("Account of the other side")
    reference = _column("The bank's own number of the line")
    end_to_end = _column("End-to-end id")
    account = _column("Our account")
    currency = _column("Currency")

    def offer(self, page: ColumnsPage) -> "ColumnsForm":
        """Offer the file's headings; a form not sent yet starts with what was said before, or what the headings suggest."""
        headings = [("", "no column"), *((heading, heading) for heading in page.headings if heading)]
        self.booked_on.flags.required = True
        for name in CHOSEN:
            self[name].choices = [SelectChoice(value, label) for value, label in headings]
        if not self.is_submitted():
            for name in (*CHOSEN, "day_order", "decimal"):
                self[name].data = getattr(page.columns, name)
        return self

    def columns(self) -> Columns:
        """Return which column holds what, as chosen."""
        return Columns(**{name: self[name].data or "" for name in (*CHOSEN, "day_order", "decimal")})


CHOSEN = ("booked_on", "amount", "paid_in", "paid_out", "balance", "text", "name", "iban", "reference", "end_to_end", "account", "currency")  # fmt: skip
"""The fields of the form that each name a column."""

"""What treasurers say of a bank file for payments to members."""

from coop.web.fields import DayField, TextLine
from coop.web.forms import CoopForm


class AgreeForm(CoopForm):
    """One button, on a page of its own."""


class PaidForm(CoopForm):
    on = DayField("The bank paid it on")


class RefusedForm(CoopForm):
    reason = TextLine(
        "How you know", most=300, description="The bank's message, who said it and when. It stays with the file."
    )

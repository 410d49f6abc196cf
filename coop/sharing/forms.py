"""The form that asks for a pool to be shared out."""

from wtforms import BooleanField

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class ShareOutForm(CoopForm):
    seen = TextLine("The preview", most=80)
    without_missing = BooleanField("Count the batches without a yield as nothing made")

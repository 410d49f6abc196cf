"""The form that asks for a pool to be shared out."""

from wtforms import BooleanField

from coop.web.forms import CoopForm


class ShareOutForm(CoopForm):
    without_missing = BooleanField("Count the batches without a yield as nothing made")

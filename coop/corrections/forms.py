"""The form that puts a correction aside."""

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class PutAsideForm(CoopForm):
    reason = TextLine(
        "Why it is put aside",
        most=300,
        description="It is kept beside the correction: the batch was counted once more, somebody fetched theirs.",
    )

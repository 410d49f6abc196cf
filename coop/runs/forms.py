"""The form that puts an outcome aside."""

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class PutAsideForm(CoopForm):
    reason = TextLine(
        "Why it is put aside",
        most=300,
        description="It is kept beside the run: a yield was corrected, a batch came late.",
    )

"""What is said about a dead job."""

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class PutAsideForm(CoopForm):
    reason = TextLine("Why it need not be done any more", most=300)

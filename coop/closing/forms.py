"""What treasurers send about the months of the books."""

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class AgreeForm(CoopForm):
    """One button of a page that shows what it does."""


class ReopenForm(CoopForm):
    reason = TextLine("Why it is opened again", most=300, description="It stays in the record, with both names.")

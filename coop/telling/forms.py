"""What is asked about a statement, and answered."""

from coop.telling.service import LONGEST
from coop.web.fields import TextBlock
from coop.web.forms import CoopForm


class MessageForm(CoopForm):
    words = TextBlock("Your message", most=LONGEST)

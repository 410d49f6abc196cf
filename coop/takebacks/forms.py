"""Which lines are taken back, and why."""

from collections.abc import Sequence

from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class TakeBackForm(CoopForm):
    lines = SelectMultipleField(
        "What is taken back",
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired("Choose at least one line.")],
    )
    reason = TextLine("Why", most=200, description="The household reads it in its mail.")

    def offer(self, lines: Sequence[tuple[int, str]]) -> "TakeBackForm":
        """Offer the lines that can be taken back."""
        self.lines.choices = [SelectChoice(*one) for one in lines]
        return self

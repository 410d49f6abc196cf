"""What treasurers send about payouts."""

from coop.web.fields import DayField, PasswordField, TextLine
from coop.web.forms import CoopForm


class StartRunForm(CoopForm):
    through = DayField("Pay what was handed over up to")


class ApproveForm(CoopForm):
    password = PasswordField("Your password", render_kw={"autocomplete": "current-password"})


class CallOffForm(CoopForm):
    reason = TextLine("Why it is called off", description="It stays with the run, for everybody who may see it.")

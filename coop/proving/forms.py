"""The forms by which people prove who they are, and set up what it takes."""

from typing import Any, ClassVar

from wtforms.widgets import HiddenInput

from coop.proving.service import Proof
from coop.web.fields import PasswordField, TextBlock, TextLine
from coop.web.forms import CoopForm

LONGEST_ANSWER = 20_000
LONGEST_KEPT = 900_000


class Carried(TextBlock):
    """Text that the page carries and nobody types."""

    widget = HiddenInput()
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self, label: str, **named: Any) -> None:
        super().__init__(label, optional=True, **named)


class CodeField(TextLine):
    """A code of an app, or one from the paper."""

    attributes: ClassVar[dict[str, str]] = {
        "autocomplete": "one-time-code",
        "spellcheck": "false",
        "autocapitalize": "off",
    }

    def __init__(self, label: str, **named: Any) -> None:
        super().__init__(label, most=40, **named)
        self.flags.stands_alone = True  # a passkey may answer in its place, yet nobody leaves the page without either


class ProofForm(CoopForm):
    code = CodeField("Code", optional=True)
    answer = Carried("Answer of the passkey", most=LONGEST_ANSWER)
    kept = Carried("What waits to be sent", most=LONGEST_KEPT)

    def proof(self) -> Proof:
        """Return what was given."""
        return Proof(code=self.code.data, answer=self.answer.data)


class PasswordForm(CoopForm):
    password = PasswordField("Password", render_kw={"autocomplete": "current-password"})
    kept = Carried("What waits to be sent", most=LONGEST_KEPT)

    def proof(self) -> Proof:
        """Return what was given."""
        return Proof(password=self.password.data)


class AppForm(CoopForm):
    code = CodeField("Code that the app shows now")
    secret = Carried("The app's secret", most=400)


class PasskeyForm(CoopForm):
    name = TextLine(
        "What you call this device",
        most=60,
        description="Such as: my telephone. You see it in the list of your passkeys.",
    )
    answer = Carried("Answer of the passkey", most=LONGEST_ANSWER)

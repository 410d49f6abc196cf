"""The forms at the door."""

from coop.web.fields import EmailField, PasswordField, TextLine
from coop.web.forms import CoopForm

NEW_PASSWORD_HELP = "Twelve characters or more. Four words are easy to remember and hard to guess."  # noqa: S105 - a help text
AS_NEW = {"autocomplete": "new-password"}
AS_PRESENT = {"autocomplete": "current-password"}


class SignInForm(CoopForm):
    email = EmailField("Mail address", render_kw={"autocomplete": "username"})
    password = PasswordField("Password", render_kw=AS_PRESENT)


class ChangePasswordForm(CoopForm):
    present = PasswordField("Present password", render_kw=AS_PRESENT)
    password = PasswordField("New password", description=NEW_PASSWORD_HELP, render_kw=AS_NEW)


class ForgottenForm(CoopForm):
    email = EmailField("Mail address")


class NewPasswordForm(CoopForm):
    password = PasswordField("New password", description=NEW_PASSWORD_HELP, render_kw=AS_NEW)


class JoinForm(CoopForm):
    email = EmailField("Mail address")


class FinishJoiningForm(CoopForm):
    name = TextLine("Your name", render_kw={"autocomplete": "name"})
    household_name = TextLine(
        "Name of your household", optional=True, description="On your box at pickup. Left empty, it is your name."
    )
    password = PasswordField("Password", description=NEW_PASSWORD_HELP, render_kw=AS_NEW)


class FirstAdminForm(CoopForm):
    name = TextLine("Your name", render_kw={"autocomplete": "name"})
    password = PasswordField("Password", description=NEW_PASSWORD_HELP, render_kw=AS_NEW)

"""What a person sends to change their mail address."""

from coop.access.forms import AS_PRESENT
from coop.web.fields import EmailField, PasswordField
from coop.web.forms import CoopForm


class ChangeForm(CoopForm):
    email = EmailField("New mail address")
    password = PasswordField("Your password", render_kw=AS_PRESENT)


class LinkForm(CoopForm):
    """One button on the page that a mailed link opens."""

"""Forms about people's roles."""

from typing import Final

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.web.forms import CoopForm
from coop.web.words import ROLES

GIVEN: Final = ("packer", "treasurer", "accountant", "admin")
"""Roles given here; who speaks for a maker is named on the maker's page."""


class GrantRoleForm(CoopForm):
    role = RadioField(
        "Role",
        choices=[SelectChoice(role, ROLES[role]) for role in GIVEN],
        validators=[InputRequired("Please choose a role.")],
    )

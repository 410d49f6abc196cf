"""Forms of who chooses where a seed comes from, of witnesses, and of who types a beacon's value in."""

from typing import Any

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.pools.forms import MomentField
from coop.proofs.service import Round
from coop.web.fields import TextLine
from coop.web.forms import CoopForm


class SourceForm(CoopForm):
    kind = RadioField(
        "Where the seed comes from",
        choices=[
            SelectChoice("season", "the season's secret: nothing to do, but the co-op knows it beforehand"),
            SelectChoice("witnesses", "two or more witnesses, each with a secret of their own"),
            SelectChoice("beacon", "a public beacon: a number that nobody can know before its time"),
        ],
        default="season",
    )
    chain = TextLine("Address where the beacon can be looked up", optional=True, most=300)
    number = TextLine("Number of the round", optional=True, most=80)
    appears_at = MomentField("When that round appears", optional=True, description="After the cut-off, and after yields will be in.")  # fmt: skip


class HashForm(CoopForm):
    hash = TextLine("Hash of your secret", most=80, description="64 digits. The verifier makes both: verify.py --new-secret.")  # fmt: skip


class SecretForm(CoopForm):
    secret = TextLine("Your secret", most=80, description="The 64 digits that you kept.")


class BeaconForm(CoopForm):
    value = TextLine("Value of the round", most=80, description="64 digits, as the beacon shows them.")


class VoidForm(CoopForm):
    reason = TextLine("Why the draw is void", most=300, description="Everybody can read it.")


class NextRoundForm(VoidForm):
    chain = TextLine("Address where the beacon can be looked up", most=300)
    number = TextLine("Number of the next round", most=80)
    appears_at = MomentField("When that round appears")


def round_of(form: Any) -> Round | None:
    """Return the round that a form names, if it has all of one."""
    if "chain" not in form or not (form.chain.data and form.number.data and form.appears_at.data):
        return None
    return Round(form.chain.data, form.number.data, form.appears_at.data)

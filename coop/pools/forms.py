"""Forms of the admin who plans a pool, puts batches into it and closes it."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import TextInput

from coop.core.claims import OFFERED_RULES
from coop.core.errors import RuleBroken
from coop.core.season import instant
from coop.web.fields import AmountField, DayField, PiecesField, TextLine, Typed
from coop.web.forms import CoopForm
from coop.web.reading import customs
from coop.web.words import RULES

_SHAPE: Final = "%Y-%m-%dT%H:%M"
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


class MomentField(Typed):
    """A day and time on the co-op's clocks, as browsers send them: 2026-11-26T20:00. The value is an instant."""

    widget = TextInput(input_type="datetime-local")
    attributes: ClassVar[dict[str, str]] = {"autocomplete": "off"}

    def read(self, typed: str) -> datetime:
        """Accept a real day and time to the minute; what a clock change makes doubtful is read as the later."""
        try:
            local = datetime.strptime(typed.strip()[:16], _SHAPE).replace(tzinfo=UTC)
        except ValueError:
            raise RuleBroken(
                "bad_moment", "Please give a day and time that exist, as year-month-day and hour: 2026-11-26T20:00."
            ) from None
        if not _EARLIEST <= local.date() <= _LATEST:
            raise RuleBroken("day_out_of_range", f"Please give a day from {_EARLIEST} to {_LATEST}.")
        return instant(local.date(), local.time(), customs().zone)

    def show(self, value: datetime) -> str:
        """Write it as browsers want it."""
        return value.astimezone(ZoneInfo(customs().zone)).strftime(_SHAPE)

    def missing(self) -> str:
        """Ask for both."""
        return "Please give a day and a time."


class PoolForm(CoopForm):
    season = SelectField("Season", coerce=int, validators=[InputRequired("Please choose a season.")])
    name = TextLine("Name of the pool", most=80, description="As members say it: November pool.")
    opens_at = MomentField("Opens", description="The weights that count are those held when you open it.")
    closes_at = MomentField("Cut-off", description="Members may order and change their orders until then.")
    pickup_on = DayField("Pickup day")


class OfferForm(CoopForm):
    price = AmountField("Price of a piece", least=0)
    deposit = AmountField("Returnable deposit on a piece", least=0, default=0)
    cap = PiecesField("Most one household may take", optional=True, description="Leave empty for no limit.")
    rule = RadioField(
        "If it comes out short",
        choices=[SelectChoice("", "share it out by the season's rule")]
        + [SelectChoice(rule, f"by {RULES[rule].name}, whatever the season says") for rule in OFFERED_RULES],
        default="",
    )
    surplus = RadioField(
        "Pieces beyond all wishes",
        choices=[SelectChoice("next_pool", "stay on the co-op's shelf for the next pool"), SelectChoice("artisan", "go back to the maker")],
        default="next_pool",
    )  # fmt: skip


class CloseForm(CoopForm):
    reason = TextLine(
        "Why it closes before its cut-off",
        optional=True,
        most=300,
        description="Needed only before the cut-off. Members can read it.",
    )


def planned(form: PoolForm) -> dict[str, Any]:
    """Return what the form says, in the command's own words."""
    said = {name: form[name].data for name in ("name", "opens_at", "closes_at", "pickup_on")}
    return {"season_id": form.season.data, "key": form.key.data} | said


def offered(form: OfferForm) -> dict[str, Any]:
    """Return what the form says, in the command's own words."""
    return {
        "price_minor": form.price.data,
        "deposit_minor": form.deposit.data or 0,
        "cap": form.cap.data,
        "rule": form.rule.data or None,
        "surplus": form.surplus.data,
        "key": form.key.data,
    }

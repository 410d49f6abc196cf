"""Forms of the admin who plans a pool, puts batches into it and closes it."""

import re
from datetime import date, datetime, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.core.claims import OFFERED_RULES
from coop.core.errors import RuleBroken
from coop.core.season import instant
from coop.web.days import EXAMPLE, read_day, write_day
from coop.web.fields import AmountField, DayField, PiecesField, TextLine, Typed
from coop.web.forms import CoopForm
from coop.web.reading import customs
from coop.web.words import RULES

_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


class MomentField(Typed):
    """A day and time on the co-op's clocks, typed as its place writes days: 26/11/2026 20:00. The value is an instant."""

    attributes: ClassVar[dict[str, str]] = {"autocomplete": "off"}

    def __init__(self, label: str, **named: Any) -> None:
        named["description"] = f"{named.get('description', '')} Like {_example()}.".strip()
        super().__init__(label, **named)

    def read(self, typed: str) -> datetime:
        """Accept a real day and time to the minute; what a clock change makes doubtful is read as the later."""
        words = typed.strip().replace("T", " ", 1).split()
        day = read_day(words[0], customs().locale) if len(words) == 2 else None
        clock = re.fullmatch("([01]?[0-9]|2[0-3]):([0-5][0-9])", words[-1])
        if day is None or clock is None:
            raise RuleBroken("bad_moment", f"Please give a day and time that exist, like {_example()}.")
        if not _EARLIEST <= day <= _LATEST:
            raise RuleBroken("day_out_of_range", f"Please give a day from {_EARLIEST.year} to {_LATEST.year}.")
        return instant(day, time(int(clock[1]), int(clock[2])), customs().zone)

    def show(self, value: datetime) -> str:
        """Write it as it would be typed."""
        local = value.astimezone(ZoneInfo(customs().zone))
        return f"{write_day(local.date(), customs().locale)} {local:%H:%M}"

    def missing(self) -> str:
        """Ask for both."""
        return "Please give a day and a time."


def _example() -> str:
    return f"{write_day(EXAMPLE, customs().locale)} 20:00"


class PoolForm(CoopForm):
    season = SelectField("Season", coerce=int, validators=[InputRequired("Please choose a season.")])
    name = TextLine("Name of the pool", most=80, description="As members say it: November pool.")
    opens_at = MomentField("Opens", description="The weights that count are those held when you open it.")
    closes_at = MomentField("Cut-off", description="Members may order and change their orders until then.")
    pickup_on = DayField("Pickup day")


class OfferForm(CoopForm):
    price = AmountField("Price of a piece", least=0)
    cost = AmountField(
        "What the maker gets for a piece", optional=True, description="The co-op buys this and sells it on."
    )
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
        "cost_minor": form.cost.data,
        "cap": form.cap.data,
        "rule": form.rule.data or None,
        "surplus": form.surplus.data,
        "key": form.key.data,
    }

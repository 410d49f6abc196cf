"""What packers and households send."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import request
from wtforms import BooleanField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.pickups.queries import PointsPage
from coop.web.fields import PiecesField
from coop.web.forms import BadForm, CoopForm

MOST_LINES: Final = 60
_NAMED = re.compile("pieces-([1-9][0-9]{0,18})")


class TickForm(CoopForm):
    """Made anew for each request with the lines it was sent with."""

    age_checked = BooleanField("Identity card checked")
    line_ids: Sequence[int] = ()

    def pieces(self) -> dict[int, int]:
        """Return how many pieces of each line were ticked."""
        return {n: self[f"pieces-{n}"].data for n in self.line_ids}


def tick_form() -> TickForm:
    """Return the form with exactly the lines that were sent; none when the page is only looked at."""
    named = (_NAMED.fullmatch(name) for name in request.form)
    ids = sorted({int(shape[1]) for shape in named if shape})
    if len(ids) > MOST_LINES:
        raise BadForm("too_many_lines", "This form was sent with more lines than a page shows.")
    made = type("TickForm", (TickForm,), {"line_ids": ids, **dict(_fields(ids))})
    return made()  # type: ignore[no-any-return]


def _fields(ids: Iterable[int]) -> Iterable[tuple[str, Any]]:
    for n in ids:
        yield f"pieces-{n}", PiecesField("Pieces fetched", least=0, name=f"pieces-{n}")


class PointForm(CoopForm):
    point = RadioField("Pickup point", coerce=int, validators=[InputRequired("Please choose a pickup point.")])

    def offer(self, page: PointsPage) -> "PointForm":
        """Offer the points that are open; the one chosen is marked on a form that was not sent yet."""
        self.point.choices = [SelectChoice(one.id, f"{one.name}, {one.place}: {one.hours}") for one in page.points]
        if not self.is_submitted():
            self.point.data = page.chosen_id
        return self

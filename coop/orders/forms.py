"""The order form: for each batch shown a wish, an "up to" and the price it was shown at."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import request

from coop.orders.service import Bound
from coop.web.fields import AmountField, PiecesField
from coop.web.forms import BadForm, CoopForm
from coop.wishes.service import MOST_PIECES, Wish

MOST_LINES: Final = 60
_NAMED = re.compile("(?:wish|up_to|unit|deposit)-([1-9][0-9]{0,18})")


class OrderForm(CoopForm):
    """Made anew for each request with the fields of the batches it was sent with, or is shown with."""

    offering_ids: Sequence[int] = ()
    most = AmountField(
        "Let this order cost at most",
        least=0,
        optional=True,
        description="Leave empty for no bound but your credit.",
    )

    def bound(self) -> Bound | None:
        """Return the most that the order may cost; None where the page that was sent did not ask."""
        return Bound(self.most.data) if self.most.raw_data else None

    def show_bound(self, minor: int | None) -> None:
        """Show the bound as it stands, unless something was sent."""
        if not self.is_submitted():
            self.most.data = minor

    def wishes(self) -> list[Wish]:
        """Return what is asked of each batch; an empty "up to" means no more than the wish."""
        return [
            Wish(
                offering_id=n,
                wish=self[f"wish-{n}"].data,
                up_to=max(self[f"wish-{n}"].data, self[f"up_to-{n}"].data or 0),
                shown_unit_minor=self[f"unit-{n}"].data,
                shown_deposit_minor=self[f"deposit-{n}"].data,
            )
            for n in self.offering_ids
        ]


def order_form() -> OrderForm:
    """Return the form with exactly the batches that were sent; none when the page is only looked at."""
    named = (_NAMED.fullmatch(name) for name in request.form)
    ids = sorted({int(shape[1]) for shape in named if shape})
    if len(ids) > MOST_LINES:
        raise BadForm("too_many_lines", "This form was sent with more batches than a page shows.")
    if not ids:
        return OrderForm()
    made = type("OrderForm", (OrderForm,), {"offering_ids": ids, **dict(_fields(ids))})
    return made()  # type: ignore[no-any-return]


def _fields(ids: Iterable[int]) -> Iterable[tuple[str, Any]]:
    for n in ids:
        yield f"wish-{n}", PiecesField("How many you want", least=0, most=MOST_PIECES, name=f"wish-{n}")
        up_to = PiecesField("The most you would take", least=0, most=MOST_PIECES, name=f"up_to-{n}", optional=True)
        yield f"up_to-{n}", up_to
        for price in ("unit", "deposit"):
            # the page itself writes, beside each batch, the price that it shows; not hidden here, or it would be sent twice
            yield f"{price}-{n}", PiecesField("Price shown", least=0, most=10**11, name=f"{price}-{n}")

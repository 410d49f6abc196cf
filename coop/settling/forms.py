"""Splitting a receipt: for whom, for what, how much."""

from collections.abc import Callable
from typing import Final

from wtforms import FieldList, Form, FormField, SelectField
from wtforms.fields.choices import SelectChoice

from coop.core.errors import RuleBroken
from coop.incoming.service import Part
from coop.web.fields import AmountField, TextLine
from coop.web.forms import CoopForm

ROWS: Final = 6


class PartForm(Form):  # type: ignore[misc]
    household = TextLine("Household", optional=True)
    purpose = SelectField(
        "For",
        choices=[
            SelectChoice("share", "its season share"),
            SelectChoice("credit", "credit"),
            SelectChoice("gift", "a gift to the hardship fund"),
            SelectChoice("capital", "capital in the co-op"),
            SelectChoice("reserve", "a gift to the reserve"),
        ],
        default="credit",
    )
    amount = AmountField("Amount", optional=True)


class SplitForm(CoopForm):
    parts = FieldList(FormField(PartForm), min_entries=ROWS, max_entries=ROWS)

    def told(self, find: Callable[[str], int]) -> list[Part]:
        """Return the rows that were filled in. Raises `half_filled`, and what `find` does, at the row's field."""
        parts = []
        for row in self.parts:
            name, minor = row.form.household.data, row.form.amount.data
            if not name and minor is None:
                continue
            if not name or minor is None:
                empty = row.form.household if not name else row.form.amount
                raise RuleBroken("half_filled", "Give both a household and an amount, or neither.", field=empty.name)
            try:
                household_id = find(name)
            except RuleBroken as broken:
                raise RuleBroken(broken.code, broken.sentence, field=row.form.household.name) from broken
            parts.append(Part(household_id, row.form.purpose.data, minor))
        return parts


class CardPayoutForm(CoopForm):
    fee = AmountField(
        "The provider's charges", least=0, description="As its report for this payment states them; 0 for none."
    )

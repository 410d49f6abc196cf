"""What a treasurer types for an act of their own."""

from collections.abc import Iterable
from typing import Final

from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from coop.web.fields import AmountField, TextLine
from coop.web.forms import CoopForm

REASON: Final = 200


class AmountForm(CoopForm):
    amount = AmountField("Amount")


class GoodwillForm(AmountForm):
    reason = TextLine("Why", most=REASON, description="The household reads it with the entry.")


class RefundForm(AmountForm):
    way = RadioField(
        "How it is paid",
        choices=[
            SelectChoice("file", "by the next bank file for members"),
            SelectChoice("hand", "I have sent it from the bank myself"),
        ],
        default="hand",
    )


class ChargebackForm(AmountForm):
    bank_fee = AmountField("What the bank charged for it", least=0, default=0, optional=True)


class SharedCostForm(CoopForm):
    supplier = TextLine("Supplier", most=80, description="Whom the bill is owed to: Hughes Carriers.")
    amount = AmountField("What the bill comes to")
    pool = SelectField("Shared by the households of", coerce=int)
    by = RadioField(
        "In proportion to",
        choices=[
            SelectChoice("households", "nothing: each the same"),
            SelectChoice("pieces", "the pieces each was given"),
        ],
        default="households",
    )
    shown = HiddenField()  # the split that was looked at; empty where none was yet

    def offer(self, pools: Iterable[tuple[int, str]]) -> "SharedCostForm":
        """Offer the pools whose households may share a bill."""
        self.pool.choices = [SelectChoice(*one) for one in pools]
        return self

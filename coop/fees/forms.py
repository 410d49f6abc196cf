"""The form for what the co-op takes of a maker's sales."""

from typing import Any

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from coop.web.fields import DayField, PercentField
from coop.web.forms import CoopForm


class TermsForm(CoopForm):
    model = RadioField(
        "Who sells",
        choices=[
            SelectChoice("agent", "the maker, through the co-op, which keeps its fee"),
            SelectChoice("resale", "the co-op, which buys from the maker at a price agreed for each offering"),
        ],
        default="agent",
    )
    fee = PercentField(
        "Co-op fee, percent of each price", least=0, most=50, description="0 where the co-op itself sells."
    )
    fee_tax = PercentField(
        "Tax inside the fee, percent",
        least=0,
        most=50,
        optional=True,
        description="Where the co-op is liable for tax on its fee.",
    )
    price_tax = PercentField(
        "Tax inside the price, percent",
        least=0,
        most=50,
        optional=True,
        description="The co-op's where it sells itself. Where the maker sells it is the maker's own, and stands on invoices in its name.",
    )
    effective_from = DayField("From", description="What was offered before keeps the terms it was offered under.")

    def agreed(self) -> dict[str, Any]:
        """Return what the form says, in the command's own words."""
        rates = {"fee_tax_bp": self.fee_tax.data or 0, "price_tax_bp": self.price_tax.data or 0}
        return {"model": self.model.data, "fee_bp": self.fee.data, **rates}

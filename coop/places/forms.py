"""The price at which a household takes its season share."""

from wtforms import HiddenField

from coop.places.queries import OfferPage
from coop.web.fields import AmountField
from coop.web.forms import CoopForm


class TakeForm(CoopForm):
    shown = HiddenField()  # the price that was looked at, in minor units

    def offer(self, page: OfferPage) -> "TakeForm":
        """Show what the share costs now."""
        if not self.is_submitted():
            self.shown.data = str(page.price_minor)
        return self

    def shown_minor(self) -> int | None:
        """Return the price that was looked at; None where the page said none."""
        return int(self.shown.data) if self.shown.data and self.shown.data.isascii() and self.shown.data.isdigit() else None  # fmt: skip


class PriceForm(TakeForm):
    price = AmountField("Your price", least=0)

    def offer(self, page: OfferPage) -> "PriceForm":
        """Begin with the price that covers what the share costs."""
        super().offer(page)
        if not self.is_submitted():
            self.price.data = page.price_minor
        return self

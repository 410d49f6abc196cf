"""The price that a household chooses for its season share."""

from coop.seasons.queries import SizeRow
from coop.web.fields import AmountField
from coop.web.forms import CoopForm


class PriceForm(CoopForm):
    price = AmountField("Your price for the whole season", least=0)

    def offer(self, page: SizeRow) -> "PriceForm":
        """Begin with the price that covers what the share costs."""
        if not self.is_submitted():
            self.price.data = page.price_minor
        return self

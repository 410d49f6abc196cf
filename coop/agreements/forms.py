"""Forms about makers: taking one in, a product, where it is paid."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from wtforms import FieldList, Form, FormField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from coop.core.payout import ACCOUNT_RESTS
from coop.core.us_account import read_us_account
from coop.web.fields import PercentField, PiecesField, TextBlock, TextLine
from coop.web.forms import CoopForm


class WelcomeForm(CoopForm):
    name = TextLine("Name of the workshop")
    craft = TextLine("Craft", optional=True, description="small-batch gin; jams & pickles")
    town = TextLine("Town", optional=True)
    distance_km = PiecesField("Kilometres away", least=0, most=20_000, optional=True)
    story = TextBlock("Story", optional=True, description="What members read. Empty lines part paragraphs.")
    fee = PercentField("Co-op fee, percent of each price", least=0, most=50, default=1000)


class StoryForm(CoopForm):
    craft = TextLine("Craft", optional=True)
    town = TextLine("Town", optional=True)
    story = TextBlock("Story", optional=True, description="What members read. Empty lines part paragraphs.")


class ProductForm(CoopForm):
    name = TextLine("Product", description="Damson jam, 340 g")
    line = TextLine("One line under the name", optional=True)
    unit_one = TextLine("One is called", most=30, description="jar")
    unit_many = TextLine("Several are called", most=30, description="jars")
    family = TextLine(
        "Family", most=60, default="all", description="What rounding leaves owed is kept per family: preserves, pots."
    )
    min_age = PiecesField("Youngest age at pickup", most=99, optional=True)
    container = SelectField("Sold in", coerce=int, default=0)
    containers_each = PiecesField(
        "Containers on each", most=1000, default=1, description="A crate of six bottles has 6."
    )
    story = TextBlock("Story", optional=True)

    def offer(self, kinds: Iterable[tuple[int, str]]) -> "ProductForm":
        """Offer the kinds of containers that come back."""
        self.container.choices = [SelectChoice(0, "nothing that comes back")] + [SelectChoice(*one) for one in kinds]
        return self


ACCOUNT_KEPT: Final = (
    "The bank details are kept, sealed, and the maker is told by mail. They count once a second person has let them. "
    f"An account that took another's place rests for {ACCOUNT_RESTS.days} days before anything is paid to it."
)


_NUMBER: Final = {"autocomplete": "off", "spellcheck": "false", "inputmode": "numeric"}


class BankDetailsForm(CoopForm):
    holder = TextLine("Account held by")
    iban = TextLine("IBAN", most=60, render_kw={"autocomplete": "off", "spellcheck": "false"})


class UsBankDetailsForm(CoopForm):
    holder = TextLine("Account held by")
    routing = TextLine(
        "Routing number", most=20, description="Nine digits, at the foot of a cheque.", render_kw=_NUMBER
    )
    account = TextLine("Account number", most=30, render_kw=_NUMBER)
    kind = RadioField(
        "Kind of account",
        choices=[SelectChoice("checking", "checking"), SelectChoice("savings", "savings")],
        default="checking",
    )


def typed_account(form: BankDetailsForm | UsBankDetailsForm) -> dict[str, Any]:
    """Return the account as commands take it. Raises what `read_us_account` does."""
    if isinstance(form, BankDetailsForm):
        return {"iban": form.iban.data}
    return {"us": read_us_account(form.routing.data, form.account.data, is_savings=form.kind.data == "savings")}


MOST_MAKERS: Final = 4


class MakerRow(Form):  # type: ignore[misc]
    maker = SelectField("Maker", coerce=int, choices=[])
    part = PercentField("Its part", least=0, most=100, optional=True)


class MakersForm(CoopForm):
    """Who makes a product together; the first is the workshop it is listed under."""

    first = PercentField("Its part", least=1, most=100)
    others = FieldList(FormField(MakerRow), min_entries=MOST_MAKERS - 1, max_entries=MOST_MAKERS - 1)

    def offer(self, first: str, makers: Sequence[tuple[int, str]]) -> "MakersForm":
        """Name the first maker, and let the others be chosen from these."""
        self.first.label.text = f"Part of {first}"
        for row in self.others:
            row.form.maker.choices = [SelectChoice(0, "nobody"), *(SelectChoice(n, name) for n, name in makers)]
        return self

    def parts(self, artisan_id: int) -> list[tuple[int, int]]:
        """Return who makes it, with parts in basis points; rows without a maker are left out."""
        chosen = [(row.form.maker.data, row.form.part.data or 0) for row in self.others if row.form.maker.data]
        return [(artisan_id, self.first.data), *chosen]

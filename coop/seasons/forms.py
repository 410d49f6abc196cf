"""Forms of the admin who plans a season and its sizes of share."""

from collections.abc import Sequence

from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from coop.core.claims import MEMORIES, OFFERED_RULES, STANDING_RULE
from coop.web.fields import AmountField, DayField, PiecesField, TextLine
from coop.web.forms import CoopForm
from coop.web.words import RULES, said


class RuleFields(CoopForm):
    """What a season shares out by."""

    rule = RadioField(
        "A batch that comes out short is shared out by",
        choices=[SelectChoice(rule, f"{RULES[rule].name}: {RULES[rule].line}") for rule in OFFERED_RULES],
        default=STANDING_RULE,
    )
    memory = RadioField(
        "What standing remembers",
        choices=[SelectChoice(memory, said("memory", memory).words) for memory in MEMORIES],
        default="rounding",
        description="For level filling with standing only; the other rules remember nothing.",
    )
    credit_cap = PiecesField(
        "Most pieces per share point that memory of every shortfall may add or take",
        least=0,
        optional=True,
        description="Leave empty for no bound, and where only rounding is remembered.",
    )


class SeasonForm(RuleFields):
    name = TextLine("Name of the season", description="As members say it: Autumn 2026.")
    starts = DayField("First day")
    ends = DayField("Last day")
    guests_may_order = BooleanField(
        "Households without a season share may order, from credit they pay in", default=True
    )
    guest_weight = PiecesField(
        "Weight of a household without a share",
        most=32_767,
        default=1,
        description="1 is the weight of a half share.",
    )


class SizeForm(CoopForm):
    name = TextLine("Name of the size", most=60, description="half, full, family")
    line = TextLine("Whom it suits", optional=True, description="One line members read beside it.")
    weight = PiecesField("Weight in every sharing out", most=32_767, description="A half share weighs 1, a full one 2.")
    price = AmountField("Price for the whole season", least=0)
    price_min = AmountField(
        "Least a household may choose to pay",
        least=0,
        optional=True,
        description="Leave both empty for one price for all.",
    )
    price_max = AmountField("Most a household may choose to pay", least=0, optional=True)
    cap = PiecesField("How many there are", least=0, optional=True, description="Leave empty for no limit.")


class RecipeForm(CoopForm):
    """One line of a recipe."""

    pieces = PiecesField("Pieces in each pool", most=1000)
    product = SelectField("Of", coerce=int, validators=[InputRequired("Please choose a product.")])
    part = SelectField(
        "It stands in the recipe", coerce=int, default=0, validators=[InputRequired("Please choose where it stands.")]
    )

    def offer(self, products: Sequence[tuple[int, str]], parts: Sequence[tuple[int, str]]) -> None:
        """List what can be named, and the parts that it can stand in for."""
        self.product.choices = list(products)
        self.part.choices = [(0, "by itself"), *((number, f"instead of {words}") for number, words in parts)]


PLANNED = ("name", "starts", "ends", "rule", "memory", "credit_cap", "guests_may_order", "guest_weight")
"""The fields of the form that plan a season."""

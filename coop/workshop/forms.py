"""Forms of a maker: what came out of a batch, its story, and the plan of the next."""

from typing import Any

from wtforms import SelectField
from wtforms.validators import InputRequired

from coop.web.fields import DayField, PiecesField, TextBlock, TextLine
from coop.web.forms import CoopForm
from coop.workshop.queries import BatchRow


class YieldForm(CoopForm):
    pieces = PiecesField("Pieces that passed your check", least=0)
    broken = PiecesField("Broken or not right", least=0, optional=True)
    made_on = DayField("Made on", optional=True)
    best_before = DayField("Best before", optional=True)
    reason = TextLine("Why the number changes", most=300, optional=True)

    def __init__(self, batch: BatchRow, **named: Any) -> None:
        super().__init__(**named)
        self.pieces.label.text = f"{batch.unit_many.capitalize()} that passed your check"
        if batch.reported is None:
            del self.reason
        else:
            self.reason.flags.required = True
            self.pieces.description = f"You reported {batch.counted(batch.reported)}."

    def report(self) -> dict[str, Any]:
        """Return what `report_yield` takes."""
        reason = self.reason.data if "reason" in self else None
        days = {"made_on": self.made_on.data, "best_before": self.best_before.data}
        return {"pieces": self.pieces.data, "broken": self.broken.data or 0, "reason": reason, **days}


class StoryForm(CoopForm):
    story = TextBlock("What members read about this batch", optional=True, description="Empty lines part paragraphs.")


class PlanForm(CoopForm):
    product = SelectField("Product", coerce=int, validators=[InputRequired("Please choose a product.")])
    lot_number = TextLine("Lot number", most=80, description="As it will stand on the label.")
    planned = PiecesField("Pieces you plan to make", least=1)
    pessimistic = PiecesField(
        "Pieces if it goes badly",
        least=0,
        optional=True,
        description="Members see what they would get either way. Left empty, four fifths of the plan.",
    )

    def __init__(self, products: list[tuple[int, str]], **named: Any) -> None:
        super().__init__(**named)
        self.product.choices = products

    def plan(self) -> dict[str, Any]:
        """Return what `schedule_batch` takes of a plan."""
        pieces = {"planned": self.planned.data, "pessimistic": self.pessimistic.data}
        return {"lot_number": self.lot_number.data, **pieces}

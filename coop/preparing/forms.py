"""What a treasurer says of a run before asking for it."""

import re
from typing import Any

from flask import request

from coop.core.errors import RuleBroken
from coop.core.money import BASIS_POINTS
from coop.web.fields import AmountField, DayField, PercentField, Typed
from coop.web.forms import CoopForm


class MakersField(Typed):
    """Makers by their numbers, as links of the page write them: 3,17."""

    empty = ()

    def read(self, typed: str) -> tuple[int, ...]:
        """Take nothing but numbers."""
        if re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18}){0,499}", typed.strip()) is None:
            raise RuleBroken("unknown_maker", "The makers to hold cannot be read. Choose them in the list below.")
        return tuple(sorted({int(number) for number in typed.strip().split(",")}))

    def show(self, value: tuple[int, ...]) -> str:
        """Write them with commas."""
        return ",".join(map(str, value))


class PlanForm(CoopForm):
    through = DayField("Pay what was handed over up to")
    minimum = AmountField("Smallest payout", least=0, optional=True, description="Empty: the co-op's own.")
    recoup = PercentField(
        "Against advances, percent",
        least=0,
        most=BASIS_POINTS // 100,
        optional=True,
        description="Most of a payout that pays an advance back.",
    )
    held = MakersField("Makers to hold", optional=True)

    def look(self) -> "PlanForm":
        """Say what is wrong with what the address asks for; what is wrong counts as not asked."""
        if not self.is_submitted():
            for field in self.fields_of_plan():
                field.errors = list(field.process_errors)
        return self

    def fields_of_plan(self) -> tuple[Any, ...]:
        """The fields that make a run what it is."""
        return self.through, self.minimum, self.recoup, self.held

    def written(self) -> dict[str, str]:
        """Return the plan as the address of its preview writes it."""
        values = {field.name: field for field in self.fields_of_plan() if field.data not in (None, ())}
        return {name: field.show(field.data) for name, field in values.items()}


def asked_by_address() -> Any:
    """Return what the address asks for, if it asks for anything that a plan has."""
    told = request.args
    return told if any(name in told for name in ("through", "minimum", "recoup", "held")) else None

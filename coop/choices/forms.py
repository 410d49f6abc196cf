"""The form that names what a household would take instead."""

from collections.abc import Sequence

from wtforms import SelectField

from coop.web.forms import CoopForm

PLACES = ("second", "third", "fourth", "fifth", "sixth")


def _choice(place: str) -> SelectField:
    return SelectField(f"Your {place} choice", coerce=int, default=0, validate_choice=False)


class InsteadForm(CoopForm):
    instead_1 = _choice(PLACES[0])
    instead_2 = _choice(PLACES[1])
    instead_3 = _choice(PLACES[2])
    instead_4 = _choice(PLACES[3])
    instead_5 = _choice(PLACES[4])

    @property
    def fields_shown(self) -> Sequence[SelectField]:
        return (self.instead_1, self.instead_2, self.instead_3, self.instead_4, self.instead_5)

    def named(self) -> list[int]:
        """Return the batches that were named; places left empty are passed over."""
        return [field.data for field in self.fields_shown if field.data]

    def offer(self, batches: Sequence[tuple[int, str]], chosen: Sequence[int]) -> None:
        """List what can be named, and what was named before, unless something was sent."""
        for place, field in enumerate(self.fields_shown):
            field.choices = [(0, "nothing"), *batches]
            if not self.is_submitted():
                field.data = chosen[place] if place < len(chosen) else 0

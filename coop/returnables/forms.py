"""Containers that come back, are forfeited or counted; and their kinds."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import request

from coop.web.fields import AmountField, PiecesField, TextLine
from coop.web.forms import BadForm, CoopForm

MOST_KINDS: Final = 100
_NAMED = re.compile("back-([1-9][0-9]{0,18})")


class PiecesForm(CoopForm):
    """Made anew for each request with the kinds it was sent with."""

    type_ids: Sequence[int] = ()

    def pieces(self) -> dict[int, int]:
        """Return how many pieces of each kind were given."""
        return {n: self[f"back-{n}"].data for n in self.type_ids}


class ForfeitForm(PiecesForm):
    reason = TextLine("Why", most=200, description="The household reads it on its page.")


class CountForm(PiecesForm):
    note = TextLine("Note", most=200, optional=True, description="What explains a difference.")


class KindForm(CoopForm):
    name = TextLine("Container", most=60, description="jar 0.5 l")
    deposit = AmountField("Deposit on each", description="It never changes: for another amount add another container.")


class RenameForm(CoopForm):
    name = TextLine("Container", most=60, description="jar 0.5 l")


class UndoForm(CoopForm):
    reason = TextLine("What was noted wrongly", most=200)


def with_kinds(form: type[PiecesForm]) -> Any:
    """Return a form with exactly the kinds that were sent; none when the page is only looked at."""
    named = (_NAMED.fullmatch(name) for name in request.form)
    ids = sorted({int(shape[1]) for shape in named if shape})
    if len(ids) > MOST_KINDS:
        raise BadForm("too_many_lines", "This form was sent with more lines than a page shows.")
    made = type(form.__name__, (form,), {"type_ids": ids, **dict(_fields(ids))})
    return made()


def _fields(ids: Iterable[int]) -> Iterable[tuple[str, Any]]:
    for n in ids:
        yield f"back-{n}", PiecesField("Pieces", least=0, name=f"back-{n}")

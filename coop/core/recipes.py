"""What a season share's recipe ("1 gin or 2 jams, 1 pot") asks of a pool: wishes like any others, which its household may change.

A part of a recipe is one thing or, if the pool has none of it, another. Batches that are shared out together and of
which as many pieces are asked stand in for one another, in the recipe's order, when they are short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coop.core.choices import MOST_ALTERNATIVES


class Portion(NamedTuple):
    """So many pieces of a product."""

    product_id: int
    pieces: int


class OnOffer(NamedTuple):
    """A batch of a pool; `cap` is the most a household may take, and `is_together` whether others can stand in for it."""

    offering_id: int
    product_id: int
    cap: int | None
    is_together: bool


class Asked(NamedTuple):
    """Pieces of one batch; with a `choice`, one of its alternatives, in the place `rank`."""

    offering_id: int
    pieces: int
    choice: int | None = None
    rank: int | None = None


@dataclass(slots=True)
class _Found:
    batch: OnOffer
    pieces: int


def wishes_of(parts: Sequence[Sequence[Portion]], offered: Sequence[OnOffer]) -> list[Asked]:
    """Write the wishes of a household's recipes, part by part, each the best liked that the pool offers.

    Of several batches of a product the first counts, unless they are shared out together. What two parts ask of one
    batch is added up, within its cap; a batch is in one choice only.
    """
    alone: dict[int, Asked] = {}
    chosen: dict[int, Asked] = {}
    choices = 0
    for part in parts:
        found = [one for one in _found(part, offered) if one.batch.offering_id not in chosen]
        if not found:
            continue
        best, instead = found[0], _alternatives(found, alone)
        if instead:
            choices += 1
            for rank, one in enumerate([best, *instead], 1):
                chosen[one.batch.offering_id] = Asked(one.batch.offering_id, best.pieces, choices, rank)
            continue
        before = alone.get(best.batch.offering_id)
        pieces = best.pieces + (before.pieces if before else 0)
        alone[best.batch.offering_id] = Asked(best.batch.offering_id, _within(best.batch.cap, pieces))
    return [*alone.values(), *chosen.values()]


def _found(part: Sequence[Portion], offered: Sequence[OnOffer]) -> list[_Found]:
    """List the batches that a part could be, the best liked first."""
    found = []
    for portion in part:
        own = [batch for batch in offered if batch.product_id == portion.product_id]
        lots = own if own and own[0].is_together else own[:1]
        found += [_Found(batch, _within(batch.cap, portion.pieces)) for batch in lots]
    return found


def _alternatives(found: Sequence[_Found], alone: dict[int, Asked]) -> Sequence[_Found]:
    """Give what can stand in for the first."""
    best, *others = found
    if not best.batch.is_together or best.batch.offering_id in alone:
        return []
    alike = [one for one in others if one.batch.is_together and one.pieces == best.pieces]
    return [one for one in alike if one.batch.offering_id not in alone][:MOST_ALTERNATIVES]


def _within(cap: int | None, pieces: int) -> int:
    return pieces if cap is None else min(cap, pieces)

"""What a wish would come to as things stand: by the pool's own rule, from the wishes so far and the yields to expect.

Nobody can know the draw beforehand, so it is not guessed: the lower value takes the last ticket of all, the upper one
the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coop.core.claims import BatchInput, Standing, Terms
from coop.core.sharing import share_out_pool
from coop.core.ticket_arrays import tickets_of_many
from coop.core.tickets import NO_SEED, tie_key

PESSIMISTIC_PERCENT = 80
FEWEST_OTHERS = 3
"""Below so many others with a wish for the batch, a forecast would tell what one of them wished for."""


@dataclass(frozen=True, slots=True)
class Wished:
    """A batch with the wishes so far, the place of one's own among them, and the pieces to expect at best and if it goes badly."""

    batch: BatchInput
    place: int
    planned: int
    pessimistic: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a wish comes to with the pessimistic yield and the last ticket, and with the planned yield and the first."""

    wish: int
    if_badly: int
    if_planned: int

    @property
    def words(self) -> str:
        """Say it to the member in a few words."""
        low, high = sorted((self.if_badly, self.if_planned))
        if low >= self.wish > 0:
            sure = "you'll get it" if self.wish == 1 else f"you'll get all {self.wish:,}"
            return sure if high <= self.wish else f"{sure}, maybe {high:,} in all"
        likely = f"likely {low:,}" if low else "likely none"
        return likely if high == low else f"{likely}, maybe {high:,}"


def pessimistic_yield(planned: int, said: int | None) -> int:
    """Give the pieces to expect if a making goes badly: what the maker said, else 80 % of the plan, rounded down."""
    return planned * PESSIMISTIC_PERCENT // 100 if said is None else said


def prospects(wished: Sequence[Wished], standing: Standing, terms: Terms) -> list[Prospect]:
    """Forecast one wish in each of these batches, each batch by itself; no claim id may be in two of them."""
    badly = _awards(wished, [one.pessimistic for one in wished], standing, terms, is_first=False)
    planned = _awards(wished, [one.planned for one in wished], standing, terms, is_first=True)
    wishes = [one.batch.requests[one.place] for one in wished]
    return [Prospect(*row) for row in zip(wishes, badly, planned, strict=True)]


def _awards(
    wished: Sequence[Wished], units: Sequence[int], standing: Standing, terms: Terms, *, is_first: bool
) -> list[int]:
    """Give what each wish is awarded if its ticket is the first of its batch, or the last."""
    batches = [replace(one.batch, units=pieces) for one, pieces in zip(wished, units, strict=True)]
    numbers = _numbers(wished, is_first=is_first)
    outcomes, _ = share_out_pool(batches, standing, terms, NO_SEED, numbers)
    return [
        _by_lottery(batch, one.place, is_first=is_first) if batch.rule == "lottery@1" else outcome.awards[one.place]
        for one, batch, outcome in zip(wished, batches, outcomes, strict=True)
    ]


def _by_lottery(batch: BatchInput, place: int, *, is_first: bool) -> int:
    """Whoever is drawn first is served first, so only the place in the draw counts; what wishes leave is drawn for alike."""
    award = _in_draw(batch.requests, place, batch.units, is_first=is_first)
    left = batch.units - sum(batch.requests)
    if left > 0 and batch.tolerances:
        award += _in_draw(batch.tolerances, place, left, is_first=is_first)
    return award


def _in_draw(limits: Sequence[int], place: int, units: int, *, is_first: bool) -> int:
    before = 0 if is_first else sum(limits) - limits[place]
    return max(0, min(limits[place], units - before))


def _numbers(wished: Sequence[Wished], *, is_first: bool) -> dict[str, int]:
    """Choose claim numbers under which each own claim draws the lowest ticket of its batch, or the highest."""
    sizes = [len(one.batch.ids) for one in wished]
    keys = [tie_key(NO_SEED, one.batch.id) for one in wished]
    drawn = np.array(tickets_of_many(keys, sizes, [n for size in sizes for n in range(size)]), np.uint64)
    numbers: dict[str, int] = {}
    start = 0
    for one, size in zip(wished, sizes, strict=True):
        order = np.argsort(drawn[start : start + size], kind="stable").tolist()
        own = order.pop(0 if is_first else -1)
        order.insert(one.place, own)
        numbers.update(zip(one.batch.ids, order, strict=True))
        start += size
    return numbers

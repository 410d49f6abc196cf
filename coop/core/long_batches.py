"""Long batches of a season by the default rule, one after the other, with the members' balances kept in columns.

Members are looked up by name once; whoever reads the standing between two long batches finds it in its dictionary.
"""

from array import array
from collections.abc import Sequence
from itertools import repeat

import numpy as np

from coop.core import kernel
from coop.core.claims import MICRO, BatchInput, Outcome, Standing
from coop.core.kinds import SAFE
from coop.core.passes import Draw, extras, numbers_of
from coop.core.ticket_arrays import Places, Whole
from coop.core.tickets import tie_key


class Roll:
    """Everybody who claimed in a long batch so far: their places, claim numbers, and what each is owed.

    What is owed counts here from `take` until `give_back`, and in the `standing` otherwise.
    """

    def __init__(self, standing: Standing, numbers: dict[str, int]) -> None:
        self._standing, self._known_numbers = standing, numbers
        self._place_of: dict[str, int] = {}
        self._place_of_number = np.empty(0, np.intp)
        self._numbers = np.empty(0, np.uint64)
        self._owed = np.empty(0, np.int64)
        self._is_here = False
        self._asked: Sequence[str] = ()
        self._places = np.empty(0, np.intp)
        self._asked_numbers = self._numbers
        self._weighed: tuple[Sequence[int], Whole] = (), np.empty(0, np.int64)

    def share_out(self, batch: BatchInput, draw: Draw) -> Outcome | None:
        """Share out one batch by `cea/standing`; None, and nothing changed, where whole numbers might leave 64 bits."""
        try:
            weights, limits = self._weigh(batch.weights), whole(batch.requests)
            places = self._find(batch)
        except OverflowError:
            return None
        opening = self._owed[places]
        longest, furthest = int(limits.max()), max(int(opening.max()), -int(opening.min()))
        if 2 * max(longest * MICRO, furthest) >= SAFE or longest * len(limits) >= SAFE:
            return None
        units, demand = batch.units, int(limits.sum())
        if units == 0 or units >= demand:
            awards = limits if units else np.zeros(len(limits), np.int64)
            kept = column(opening)
            outcome = Outcome(column(awards), column(awards * MICRO), kept, kept)
            return outcome if units <= demand else _with_extras(batch, outcome, draw)
        if not kernel.within_bounds(weights, limits, units):
            return None
        key, numbers = tie_key(draw.seed, batch.id), self._asked_numbers
        parts = kernel.entitlements(weights, limits, units, key, numbers)
        targets = parts + opening
        awards = kernel.pieces_due(targets, limits, units, key, numbers)
        targets -= MICRO * awards
        self._owed[places] = targets
        return Outcome(column(awards), column(parts), column(opening), column(targets))

    def give_back(self) -> None:
        """Write what is owed into the standing, which counts from now on."""
        if self._is_here:
            self._standing.owed.update(zip(self._place_of, self._owed.tolist(), strict=True))
            self._is_here = False

    def _weigh(self, weights: Sequence[int]) -> Whole:
        """Read a column of weights, the same one once only."""
        if weights is not self._weighed[0]:
            self._weighed = weights, whole(weights)
        return self._weighed[1]

    def _find(self, batch: BatchInput) -> Places:
        """Give the places of the members, new ones too, and see that what they are owed stands here."""
        if batch.ids is not self._asked:
            self._places = self._by_number(batch) if batch.members else self._by_name(batch.ids)
            self._asked, self._asked_numbers = batch.ids, self._numbers[self._places]
        if not self._is_here:
            owed = map(self._standing.owed.get, self._place_of, repeat(0))
            self._owed = np.fromiter(owed, np.int64, len(self._place_of))
            self._is_here = True
        return self._places

    def _by_number(self, batch: BatchInput) -> Places:
        """Find members by their numbers, and by name those whose number was not seen yet."""
        members = whole(batch.members)
        unseen = int(members.max()) + 1 - len(self._place_of_number)
        if unseen > 0:
            self._place_of_number = np.concatenate([self._place_of_number, np.full(unseen, -1)])
        places = self._place_of_number[members]
        new = np.flatnonzero(places < 0)
        if len(new):
            places[new] = self._by_name([batch.ids[place] for place in new.tolist()])
            self._place_of_number[members[new]] = places[new]
        return places

    def _by_name(self, ids: Sequence[str]) -> Places:
        places = self._looked_up(ids)
        if int(places.min()) < 0:
            self._enter([name for name in ids if name not in self._place_of])
            places = self._looked_up(ids)
        return places

    def _looked_up(self, ids: Sequence[str]) -> Places:
        return np.fromiter(map(self._place_of.get, ids, repeat(-1)), np.intp, len(ids))

    def _enter(self, new: Sequence[str]) -> None:
        own = np.array(numbers_of(new, self._known_numbers), np.uint64)
        owed = np.fromiter(map(self._standing.owed.get, new, repeat(0)), np.int64, len(new))
        self._place_of.update(zip(new, range(len(self._place_of), len(self._place_of) + len(new)), strict=True))
        self._numbers, self._owed = np.concatenate([self._numbers, own]), np.concatenate([self._owed, owed])


def whole(values: Sequence[int]) -> Whole:
    """Read a column of whole numbers, without a copy where it is one of 64 bits already."""
    if isinstance(values, array) and values.typecode == "q":
        return np.frombuffer(values, np.int64)
    return np.array(values, np.int64)


def column(values: Whole) -> Sequence[int]:
    """Give a column that reads like a list and takes eight bytes a number."""
    numbers = array("q")
    numbers.frombytes(values.data.cast("B"))
    return numbers


def _with_extras(batch: BatchInput, outcome: Outcome, draw: Draw) -> Outcome:
    if not any(batch.tolerances):
        return outcome
    more = extras(batch, batch.units - sum(outcome.awards), draw)
    return outcome._replace(awards=[award + extra for award, extra in zip(outcome.awards, more, strict=True)])

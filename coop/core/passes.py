"""One pass of a batch by its rule, by whichever engine is fast and stays exact: wishes, then what is taken on top."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coop.core import kernel
from coop.core.claims import WEBSTER_RULE, BatchInput
from coop.core.rule_book import extras_by_reference, wishes_by_reference
from coop.core.rules import Rank
from coop.core.small_batches import cheapest_pieces
from coop.core.tickets import claim_number, tie_key


class Draw(NamedTuple):
    """The chance of one batch: the seed, the tickets of its claims where they are drawn already, and claim numbers.

    `numbers` keeps each claim id's `claim_number` and is added to.
    """

    seed: bytes
    tickets: Sequence[int]
    numbers: dict[str, int]

    def with_tickets(self, batch: BatchInput) -> "Draw":
        """Draw the tickets, unless they are drawn."""
        if self.tickets:
            return self
        own = numbers_of(batch.ids, self.numbers)
        return self._replace(tickets=kernel.tickets_of_many([tie_key(self.seed, batch.id)], [len(own)], own))


def wishes(batch: BatchInput, draw: Draw) -> Sequence[int]:
    """Hand out the batch to the wishes."""
    if batch.rule == WEBSTER_RULE:
        return _webster(batch, batch.requests, batch.units, draw)
    return wishes_by_reference(batch, _ranks(batch, draw), draw.seed)


def extras(batch: BatchInput, left: int, draw: Draw) -> Sequence[int]:
    """Hand out what the wishes left."""
    if batch.rule.startswith("cea/"):
        return _webster(batch, batch.tolerances, left, draw)
    return extras_by_reference(batch, left, _ranks(batch, draw), draw.seed)


def numbers_of(ids: Sequence[str], numbers: dict[str, int]) -> list[int]:
    """Give the claim numbers, each computed once."""
    try:
        return [numbers[claim] for claim in ids]
    except KeyError:
        numbers.update({claim: claim_number(claim) for claim in ids if claim not in numbers})
        return [numbers[claim] for claim in ids]


def _webster(batch: BatchInput, limits: Sequence[int], units: int, draw: Draw) -> Sequence[int]:
    if units >= sum(limits):
        return limits
    if len(limits) == 1:
        return [units]
    if draw.tickets:
        return cheapest_pieces(batch.weights, limits, units, draw.tickets)
    own = np.array(numbers_of(batch.ids, draw.numbers), np.uint64)
    arrays = np.array(batch.weights, np.int64), np.array(limits, np.int64)
    awards: list[int] = kernel.cheapest_pieces(*arrays, units, tie_key(draw.seed, batch.id), own).tolist()
    return awards


def _ranks(batch: BatchInput, draw: Draw) -> list[Rank]:
    tickets = draw.with_tickets(batch).tickets
    return [(ticket, claim.encode()) for ticket, claim in zip(tickets, batch.ids, strict=True)]

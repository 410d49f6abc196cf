"""One pass of a batch by its rule, by whichever engine is fast and stays exact: wishes, then what is taken on top."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coop.core import kernel
from coop.core.array_rules import pass_by_arrays
from coop.core.claims import TOGETHER_RULE, WEBSTER_RULE, BatchInput
from coop.core.rule_book import extras_by_reference, wishes_by_reference
from coop.core.rules import Rank
from coop.core.small_batches import cheapest_pieces
from coop.core.ticket_arrays import tickets_of_many
from coop.core.tickets import claim_number, tie_key

FRACTIONS_BELOW = 12
"""Claims up to which the reference's fractions are as fast as arrays."""


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
        return self._replace(tickets=tickets_of_many([tie_key(self.seed, batch.id)], [len(own)], own))


def wishes(batch: BatchInput, draw: Draw) -> Sequence[int]:
    """Hand out the batch to the wishes."""
    if batch.rule in {WEBSTER_RULE, TOGETHER_RULE}:
        return _webster(batch, batch.requests, batch.units, draw)
    return _by_any_rule(batch, batch.requests, batch.units, draw, on_top=False)


def extras(batch: BatchInput, left: int, draw: Draw) -> Sequence[int]:
    """Hand out what the wishes left."""
    if batch.rule == TOGETHER_RULE or batch.rule.startswith("cea/"):
        return _webster(batch, batch.tolerances, left, draw)
    return _by_any_rule(batch, batch.tolerances, left, draw, on_top=True)


def _by_any_rule(batch: BatchInput, limits: Sequence[int], units: int, draw: Draw, *, on_top: bool) -> Sequence[int]:
    if batch.rule != "lots@1" and units >= sum(limits):
        return limits
    if len(limits) >= FRACTIONS_BELOW:
        numbers = np.array(numbers_of(batch.ids, draw.numbers), np.uint64)
        try:
            return pass_by_arrays(batch, limits, units, draw.seed, numbers, on_top=on_top)
        except OverflowError:
            pass  # the reference knows no bounds
    ranks = _ranks(batch, draw)
    if on_top:
        return extras_by_reference(batch, units, ranks, draw.seed)
    return wishes_by_reference(batch, ranks, draw.seed)


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

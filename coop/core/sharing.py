"""Shares out batches one after the other, each from the standing that the ones before it left: the worker's engine.

A season is tens of thousands of small batches, each depending on the one before, so plain whole numbers do the work;
beyond `ARRAYS_FROM` claims the array kernel takes over. Both equal the reference to the last digit.
"""

from collections.abc import Sequence

import numpy as np

from coop.core import kernel
from coop.core.claims import LOTS_RULE, MICRO, STANDING_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.long_batches import Roll
from coop.core.passes import Draw, extras, numbers_of, wishes
from coop.core.small_batches import entitlements, entitlements_above, pieces_due
from coop.core.ticket_arrays import tickets_of_many
from coop.core.tickets import tie_key

ARRAYS_FROM = 250
"""Claims from which arrays beat whole numbers (measured: they meet between 200 and 400)."""


def share_out_pool(
    batches: Sequence[BatchInput], standing: Standing, terms: Terms, seed: bytes, numbers: dict[str, int] | None = None
) -> tuple[list[Outcome], Standing]:
    """Share out a pool's batches in order; gives an outcome per batch and the standing after the last.

    `standing` is left as it is. `numbers` keeps each claim id's `claim_number` from pool to pool and is added to.
    """
    standing = standing.copy()
    numbers = {} if numbers is None else numbers
    drawn = _drawn(batches, terms, seed, numbers)
    outcomes = []
    roll = Roll(standing, numbers)
    for place, batch in enumerate(batches):
        draw = Draw(seed, drawn.get(place, ()), numbers)
        outcome = None
        if _is_long(batch, terms):
            outcome = roll.share_out(batch, draw)
            draw = draw if outcome else draw.with_tickets(batch)
        if outcome is None:
            roll.give_back()
            outcome = _share_out(batch, standing, terms, draw)
            standing.add(batch.ids, outcome)
        outcomes.append(outcome)
    roll.give_back()
    return outcomes, standing


def share_out_batch(batch: BatchInput, standing: Standing, terms: Terms, seed: bytes) -> Outcome:
    """Share out one batch, leaving `standing` as it is."""
    return share_out_pool([batch], standing, terms, seed)[0][0]


def _drawn(batches: Sequence[BatchInput], terms: Terms, seed: bytes, numbers: dict[str, int]) -> dict[int, list[int]]:
    """Draw the tickets of all small batches where chance may be needed, in one go, by the place of the batch."""
    keys: list[bytes] = []
    claims: list[int] = []
    drawing = []
    for place, batch in enumerate(batches):
        if len(batch.ids) > 1 and not _is_long(batch, terms) and _needs_deciding(batch) and not _takes_arrays(batch):
            drawing.append(place)
            keys.append(tie_key(seed, batch.id))
            claims.extend(numbers_of(batch.ids, numbers))
    sizes = [len(batches[place].ids) for place in drawing]
    tickets = tickets_of_many(keys, sizes, claims)
    drawn, start = {}, 0
    for place, size in zip(drawing, sizes, strict=True):
        drawn[place] = tickets[start : start + size]
        start += size
    return drawn


def _is_long(batch: BatchInput, terms: Terms) -> bool:
    return len(batch.ids) >= ARRAYS_FROM and batch.rule == STANDING_RULE and terms.memory == "rounding"


def _needs_deciding(batch: BatchInput) -> bool:
    if batch.units == 0 or batch.rule == LOTS_RULE:
        return batch.units > 0
    demand = sum(batch.requests)
    return batch.units < demand or 0 < batch.units - demand < sum(batch.tolerances)


def _takes_arrays(batch: BatchInput) -> bool:
    if len(batch.ids) < ARRAYS_FROM:
        return False
    longest = max(*batch.requests, *batch.tolerances)
    return kernel.within_bounds(batch.weights, [longest], batch.units)


def _share_out(batch: BatchInput, standing: Standing, terms: Terms, draw: Draw) -> Outcome:
    """Share out one batch; tickets are needed only where `_drawn` draws them."""
    demand = sum(batch.requests)
    if batch.rule != LOTS_RULE and (batch.units >= demand or batch.units == 0 or len(batch.ids) == 1):
        awards = batch.requests if batch.units >= demand else [batch.units] * len(batch.ids)  # nothing, or one claim
        outcome = _even(batch, awards, standing, terms)
    elif terms.memory is not None:
        outcome = _disputed(batch, demand, standing, terms, draw)
    else:
        outcome = Outcome(wishes(batch, draw))
    if batch.units <= demand or not any(batch.tolerances):
        return outcome
    more = extras(batch, batch.units - sum(outcome.awards), draw)
    return outcome._replace(awards=[award + extra for award, extra in zip(outcome.awards, more, strict=True)])


def _even(batch: BatchInput, awards: Sequence[int], standing: Standing, terms: Terms) -> Outcome:
    """Everybody gets what they are entitled to: all are full, or get nothing, or only one claims. No balance moves."""
    if terms.memory is None:
        return Outcome(awards)
    opening = [standing.owed.get(claim, 0) for claim in batch.ids]
    parts = [award * MICRO for award in awards]
    if terms.memory == "rounding":
        return Outcome(awards, parts, opening, opening)
    return Outcome(awards, parts, opening, opening, [standing.entitled.get(claim, 0) for claim in batch.ids])


def _disputed(batch: BatchInput, demand: int, standing: Standing, terms: Terms, draw: Draw) -> Outcome:
    units, awards = batch.units, None
    if batch.rule != STANDING_RULE:
        awards = wishes(batch, draw)
        units = sum(awards)
        if units in {0, demand} or len(awards) == 1:
            return _even(batch, awards, standing, terms)
    opening = [standing.owed.get(claim, 0) for claim in batch.ids]
    entitled: Sequence[int] = ()
    if terms.memory == "season":
        entitled = [standing.entitled.get(claim, 0) for claim in batch.ids]
        draw = draw.with_tickets(batch)
        parts = entitlements_above(entitled, batch.weights, batch.requests, units, terms.credit_cap, draw.tickets)
    elif draw.tickets:
        parts = entitlements(batch.weights, batch.requests, units, draw.tickets)
    else:
        return _disputed_by_arrays(batch, units, awards, opening, draw)
    targets = [before + part for before, part in zip(opening, parts, strict=True)]
    if awards is None:
        awards = pieces_due(targets, batch.requests, units, draw.tickets)
    closing = [target - MICRO * award for target, award in zip(targets, awards, strict=True)]
    return Outcome(awards, parts, opening, closing, entitled)


def _disputed_by_arrays(
    batch: BatchInput, units: int, awards: Sequence[int] | None, opening: list[int], draw: Draw
) -> Outcome:
    weights, limits = np.array(batch.weights, np.int64), np.array(batch.requests, np.int64)
    own = np.array(numbers_of(batch.ids, draw.numbers), np.uint64)
    key = tie_key(draw.seed, batch.id)
    parts = kernel.entitlements(weights, limits, units, key, own)
    targets = parts + np.array(opening, np.int64)
    given = kernel.pieces_due(targets, limits, units, key, own) if awards is None else np.array(awards, np.int64)
    closing = targets - MICRO * given
    return Outcome(given.tolist(), parts.tolist(), opening, closing.tolist())

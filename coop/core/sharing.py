"""Shares out batches one after the other, each from the standing that the ones before it left: the worker's engine.

A season is tens of thousands of small batches, each depending on the one before, so plain whole numbers do the work;
beyond `ARRAYS_FROM` claims the array kernel takes over. Both equal the reference to the last digit.
"""

from collections.abc import Sequence

import numpy as np

from coop.core import kernel
from coop.core.claims import MICRO, STANDING_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.small_batches import cheapest_pieces, entitlements, entitlements_above, pieces_due
from coop.core.tickets import claim_number, tie_key

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
    drawn = _drawn(batches, seed, numbers)
    outcomes = []
    for place, batch in enumerate(batches):
        outcome = _share_out(batch, standing, terms, seed, drawn.get(place, ()), numbers)
        standing.add(batch.ids, outcome)
        outcomes.append(outcome)
    return outcomes, standing


def share_out_batch(batch: BatchInput, standing: Standing, terms: Terms, seed: bytes) -> Outcome:
    """Share out one batch, leaving `standing` as it is."""
    numbers: dict[str, int] = {}
    return _share_out(batch, standing, terms, seed, _drawn([batch], seed, numbers).get(0, ()), numbers)


def _drawn(batches: Sequence[BatchInput], seed: bytes, numbers: dict[str, int]) -> dict[int, list[int]]:
    """Draw the tickets of all small batches where chance may be needed, in one go, by the place of the batch."""
    keys: list[bytes] = []
    claims: list[int] = []
    drawing = []
    for place, batch in enumerate(batches):
        if len(batch.ids) > 1 and _needs_deciding(batch) and not _takes_arrays(batch):
            drawing.append(place)
            keys.append(tie_key(seed, batch.id))
            claims.extend(_numbers(batch.ids, numbers))
    sizes = [len(batches[place].ids) for place in drawing]
    tickets = kernel.tickets_of_many(keys, sizes, claims)
    drawn, start = {}, 0
    for place, size in zip(drawing, sizes, strict=True):
        drawn[place] = tickets[start : start + size]
        start += size
    return drawn


def _numbers(ids: Sequence[str], numbers: dict[str, int]) -> list[int]:
    try:
        return [numbers[claim] for claim in ids]
    except KeyError:
        numbers.update({claim: claim_number(claim) for claim in ids if claim not in numbers})
        return [numbers[claim] for claim in ids]


def _needs_deciding(batch: BatchInput) -> bool:
    if batch.units == 0:
        return False
    demand = sum(batch.requests)
    return batch.units < demand or 0 < batch.units - demand < sum(batch.tolerances)


def _takes_arrays(batch: BatchInput) -> bool:
    if len(batch.ids) < ARRAYS_FROM:
        return False
    longest = max(*batch.requests, *batch.tolerances)
    return kernel.within_bounds(batch.weights, [longest], batch.units)


def _share_out(
    batch: BatchInput, standing: Standing, terms: Terms, seed: bytes, tickets: Sequence[int], numbers: dict[str, int]
) -> Outcome:
    """Share out one batch; `tickets` are needed only where `_drawn` draws them."""
    demand = sum(batch.requests)
    if batch.units >= demand or batch.units == 0 or len(batch.ids) == 1:
        outcome = _undisputed(batch, demand, standing, terms)
    elif terms.memory is not None:
        outcome = _disputed(batch, standing, terms, seed, tickets, numbers)
    else:
        outcome = Outcome(_webster(batch, batch.requests, batch.units, seed, tickets, numbers))
    if batch.units <= demand or not any(batch.tolerances):
        return outcome
    left = min(batch.units - demand, sum(batch.tolerances))
    more = _webster(batch, batch.tolerances, left, seed, tickets, numbers)
    awards = [award + extra for award, extra in zip(outcome.awards, more, strict=True)]
    return Outcome(awards, outcome.entitlements, outcome.opening, outcome.closing, outcome.entitled)


def _undisputed(batch: BatchInput, demand: int, standing: Standing, terms: Terms) -> Outcome:
    """Everybody is full, or nobody gets any, or only one claims: no balance moves."""
    if batch.units >= demand:
        awards = batch.requests
    else:
        awards = [0] * len(batch.requests) if batch.units == 0 else [batch.units]
    if terms.memory is None:
        return Outcome(awards)
    owed = standing.owed
    opening = [owed.get(claim, 0) for claim in batch.ids]
    parts = [award * MICRO for award in awards]
    if terms.memory == "rounding":
        return Outcome(awards, parts, opening, opening)
    return Outcome(awards, parts, opening, opening, [standing.entitled.get(claim, 0) for claim in batch.ids])


def _disputed(
    batch: BatchInput, standing: Standing, terms: Terms, seed: bytes, tickets: Sequence[int], numbers: dict[str, int]
) -> Outcome:
    owed = standing.owed
    opening = [owed.get(claim, 0) for claim in batch.ids]
    entitled: Sequence[int] = ()
    if terms.memory == "season":
        entitled = [standing.entitled.get(claim, 0) for claim in batch.ids]
        tickets = tickets or kernel.tickets_of_many(
            [tie_key(seed, batch.id)], [len(batch.ids)], _numbers(batch.ids, numbers)
        )
        parts = entitlements_above(entitled, batch.weights, batch.requests, batch.units, terms.credit_cap, tickets)
    elif tickets:
        parts = entitlements(batch.weights, batch.requests, batch.units, tickets)
    else:
        return _disputed_by_arrays(batch, opening, seed, numbers)
    targets = [before + part for before, part in zip(opening, parts, strict=True)]
    if batch.rule == STANDING_RULE:
        awards = pieces_due(targets, batch.requests, batch.units, tickets)
    else:
        awards = cheapest_pieces(batch.weights, batch.requests, batch.units, tickets)
    closing = [target - MICRO * award for target, award in zip(targets, awards, strict=True)]
    return Outcome(awards, parts, opening, closing, entitled)


def _disputed_by_arrays(batch: BatchInput, opening: list[int], seed: bytes, numbers: dict[str, int]) -> Outcome:
    weights, limits = np.array(batch.weights, np.int64), np.array(batch.requests, np.int64)
    own = np.array(_numbers(batch.ids, numbers), np.uint64)
    key = tie_key(seed, batch.id)
    parts = kernel.entitlements(weights, limits, batch.units, key, own)
    targets = parts + np.array(opening, np.int64)
    if batch.rule == STANDING_RULE:
        awards = kernel.pieces_due(targets, limits, batch.units, key, own)
    else:
        awards = kernel.cheapest_pieces(weights, limits, batch.units, key, own)
    closing = targets - MICRO * awards
    return Outcome(awards.tolist(), parts.tolist(), opening, closing.tolist())


def _webster(
    batch: BatchInput,
    limits: Sequence[int],
    units: int,
    seed: bytes,
    tickets: Sequence[int],
    numbers: dict[str, int],
) -> Sequence[int]:
    if units >= sum(limits):
        return limits
    if len(limits) == 1:
        return [units]
    if tickets:
        return cheapest_pieces(batch.weights, limits, units, tickets)
    own = np.array(_numbers(batch.ids, numbers), np.uint64)
    arrays = np.array(batch.weights, np.int64), np.array(limits, np.int64)
    awards: list[int] = kernel.cheapest_pieces(*arrays, units, tie_key(seed, batch.id), own).tolist()
    return awards

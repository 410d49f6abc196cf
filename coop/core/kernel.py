"""The default rule and webster as array kernels, for batches of hundreds to tens of millions of claims.

Claims stand in rising order of their ids' bytes: equal tickets fall back on the place. Weights, limits and targets are
int64 arrays, `numbers` holds each claim's `tickets.claim_number` as uint64. No float takes part, and nothing is sorted:
claims are counted by kind (weight, limit), solved on the kinds, and looked up again; only claims that stand level draw
tickets. Callers must see `within_bounds` first; beyond it whole numbers of Python do the same work.
"""

from collections.abc import Sequence

import numpy as np

from coop.core.claims import MICRO
from coop.core.kinds import SAFE, kinds_of, settled
from coop.core.price_kernel import rising_pieces
from coop.core.share_kernel import level_of
from coop.core.ticket_arrays import Whole, Words, first_by_ticket


def within_bounds(weights: Sequence[int] | Whole, limits: Sequence[int] | Whole, units: int) -> bool:
    """Tell whether no product in here can leave 64 bits."""
    heaviest, lightest = _ends(weights)
    longest, _ = _ends(limits)
    if max(heaviest, longest, units) >= 2**40:
        return False
    grid = 4 * heaviest * heaviest
    highest = longest // lightest + 2
    total = heaviest * len(weights)
    products = (2 * grid * highest * heaviest, units * MICRO * heaviest, total * longest, 2 * total, longest * MICRO)
    return all(product < SAFE for product in products)


def cheapest_pieces(weights: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Hand out 0 < `units` < the sum of `limits` by `cea/webster`."""
    return rising_pieces(kinds_of(weights, limits), units, "webster", key, numbers)


def entitlements(weights: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Divide 0 < `units` < the sum of `limits` equally per share point, in micro-units that sum exactly."""
    kinds = kinds_of(weights, limits)
    is_open, left, weight_left = level_of(kinds, units)
    parts = kinds.limits * MICRO
    parts[is_open] = left * MICRO * kinds.weights[is_open] // weight_left
    spare = left * MICRO - int(kinds.counts[is_open] @ parts[is_open])
    return settled(kinds, parts, is_open, spare, key, numbers)


def pieces_due(targets: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Hand out whole pieces, 0 <= `units` <= the sum of `limits`, so that the squares of what stays owed are least."""
    whole = targets // MICRO  # one number is divided by at all places: much faster than divmod
    rest = targets - whole * MICRO
    awards, given = _due_at(0, whole, limits)
    low = high = 0
    step = 1
    while given > units:  # `high` rises until no more than `units` pieces lie at or above it
        low, high, step = high, high + step, 2 * step
        awards, given = _due_at(high, whole, limits)
    while low == high and given < units:
        low, step = low - step, 2 * step
        below, more = _due_at(low, whole, limits)
        if more <= units:
            high, awards, given = low, below, more
    while high - low > 1:
        middle = (low + high) // 2
        between, count = _due_at(middle, whole, limits)
        if count > units:
            low = middle
        else:
            high, awards, given = middle, between, count
    missing = units - given
    if missing == 0:
        return awards
    whole -= high
    standing_level = np.flatnonzero((whole >= 0) & (whole < limits))
    rests = rest[standing_level]
    mark = np.partition(rests, len(rests) - missing)[len(rests) - missing]
    above = standing_level[rests > mark]
    awards[above] += 1
    awards[first_by_ticket(standing_level[rests == mark], missing - len(above), key, numbers)] += 1
    return awards


def _ends(values: Sequence[int] | Whole) -> tuple[int, int]:
    if isinstance(values, np.ndarray):
        return int(values.max()), int(values.min())
    return max(values), min(values)


def _due_at(mark: int, whole: Whole, limits: Whole) -> tuple[Whole, int]:
    awards: Whole = whole - mark
    np.clip(awards, 0, limits, out=awards)
    return awards, int(awards.sum())

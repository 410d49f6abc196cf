"""The default rule and webster as array kernels, for batches of hundreds to tens of millions of claims.

Claims stand in rising order of their ids' bytes: equal tickets fall back on the place. Weights, limits and targets are
int64 arrays, `numbers` holds each claim's `tickets.claim_number` as uint64. No float takes part, and nothing is sorted:
claims are counted by kind (weight, limit), solved on the kinds, and looked up again; only claims that stand level draw
tickets. Callers must see `within_bounds` first; beyond it whole numbers of Python do the same work.
"""

from collections.abc import Sequence

import numpy as np

from coop.core.claims import MICRO
from coop.core.kinds import SAFE, Kinds, kinds_of, settled
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
    whole = targets // MICRO  # one number divides at all places: much faster than divmod
    kinds = kinds_of(whole - whole.min(), limits)
    mark = _mark(kinds, units)
    sure = _due_at(mark, kinds)
    awards = np.array(kinds.spread(sure), np.int64, copy=kinds.of_claim is None)
    missing = units - kinds.total(sure)
    if missing == 0:
        return awards
    level = kinds.spread((kinds.weights >= mark) & (kinds.weights - mark < kinds.limits))
    rest = np.multiply(whole, -MICRO, out=whole)
    rest += targets
    rests = rest[np.flatnonzero(level)]
    least = np.partition(rests, len(rests) - missing)[len(rests) - missing]
    above = level & (rest > least)
    awards += above
    tied = np.flatnonzero(level & (rest == least))
    awards[tied] += first_by_ticket(tied, missing - int(np.count_nonzero(above)), key, numbers)
    return awards


def _mark(kinds: Kinds, units: int) -> int:
    """Find the least whole number of pieces, counted from the least owed, that no more than `units` pieces lie above."""
    low, high = -int(kinds.limits.max()) - 1, int(kinds.weights.max())
    while high - low > 1:
        middle = (low + high) // 2
        if kinds.total(_due_at(middle, kinds)) > units:
            low = middle
        else:
            high = middle
    return high


def _due_at(mark: int, kinds: Kinds) -> Whole:
    due: Whole = np.clip(kinds.weights - mark, 0, kinds.limits)
    return due


def _ends(values: Sequence[int] | Whole) -> tuple[int, int]:
    if isinstance(values, np.ndarray):
        return int(values.max()), int(values.min())
    return max(values), min(values)

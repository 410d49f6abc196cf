"""Roundings that hand out the cheapest pieces, as array kernels: prices are searched on a grid of whole numbers.

A piece's price is the level at which its claim passes the signpost. On the rising path (level filling, proportional)
a claim of weight w has passed w x level pieces; on the falling one (equal losses) the piece whose loss would weigh most
comes first. Callers see to 0 < `units` < the sum of the limits.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from coop.core.kinds import Kinds, refuse_beyond, settled
from coop.core.rules import Path
from coop.core.ticket_arrays import Whole, Words

_OF_TWO = {"webster": 1, "adams": 2, "jefferson": 0}
"""How far before its end a piece's signpost lies, in halves."""

_SETTLING_FROM = 1 << 14


def rising_pieces(kinds: Kinds, units: int, rounding: str, key: bytes, numbers: Words) -> Whole:
    """Hand out the pieces with the lowest signpost per share point; raises OverflowError beyond 64 bits."""
    active = np.flatnonzero((kinds.counts > 0) & (kinds.limits > 0))
    w, c, k = kinds.weights[active], kinds.limits[active], kinds.counts[active]
    heaviest = int(w.max())
    bits = (2 * heaviest * heaviest).bit_length()  # so fine that two prices in halves never share a cell
    high = (int((c // w).max()) + 1) << bits
    _refuse_rising(high, bits, heaviest, int(kinds.weights.max()), rounding)
    low, fixed = -1, 0
    while high - low > 1:
        middle = (low + high) // 2
        if fixed + int(k @ _passed(middle, bits, w, c, rounding)) < units:
            low = middle
        else:
            high = middle
        if len(w) > _SETTLING_FROM and (high - low) * heaviest < 4 << bits:
            below = _passed(low, bits, w, c, rounding)
            moving = below != _passed(high, bits, w, c, rounding)
            fixed += int(k[~moving] @ below[~moving])
            w, c, k = w[moving], c[moving], k[moving]
    sure = _passed(low, bits, kinds.weights, kinds.limits, rounding)
    level = _passed(high, bits, kinds.weights, kinds.limits, rounding) > sure
    missing = units - kinds.total(sure)
    if rounding in {"hill", "dean"}:
        sure, level, missing = _told_apart(kinds, sure, level, missing, rounding)
    return settled(kinds, sure, level, missing, key, numbers)


def falling_pieces(kinds: Kinds, units: int, rounding: str, key: bytes, numbers: Words) -> Whole:
    """Hand out the pieces whose loss would weigh most; raises OverflowError beyond 64 bits."""
    offset = _OF_TWO[rounding]
    heaviest, longest = int(kinds.weights.max()), int(kinds.limits.max())
    low, high = 0, heaviest * (2 * longest + 2) + 1
    refuse_beyond(2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        if kinds.total(_worth(middle, kinds, offset)) >= units:
            low = middle
        else:
            high = middle
    sure = _worth(high, kinds, offset)
    level = _worth(low, kinds, offset) > sure
    return settled(kinds, sure, level, units - kinds.total(sure), key, numbers)


def halves_first(kinds: Kinds, units: int, rounding: str, key: bytes, numbers: Words) -> Whole:
    """Fill up half of every wish level, then share out the losses of the other half: the path of the Talmud."""
    halves = (kinds.limits + 1) // 2
    first = kinds.total(halves)
    if units < first:
        return rising_pieces(kinds.with_limits(halves), units, rounding, key, numbers)
    awards = np.array(kinds.spread(halves), np.int64)
    if units > first:
        rest = kinds.with_limits(kinds.limits - halves)
        awards += falling_pieces(rest, units - first, rounding, key, numbers)
    return awards


PIECES: dict[str, Callable[[Kinds, int, str, bytes, Words], Whole]] = {
    "cea": rising_pieces,
    "proportional": rising_pieces,
    "weighted_proportional": rising_pieces,
    "cel": falling_pieces,
    "talmud": halves_first,
}


def _passed(cell: int, bits: int, weights: Whole, limits: Whole, rounding: str) -> Whole:
    """Count each claim's pieces with a price of at most `cell` / 2^bits; none at -1."""
    reached = weights * cell
    if rounding in _OF_TWO:
        reached += _OF_TWO[rounding] << (bits - 1)
        reached >>= bits
    else:
        grid = 1 << bits
        rest = reached & (grid - 1)
        reached >>= bits
        if rounding == "hill":  # s = whole + 1 is passed where s (s - 1) is at most the square of what is reached
            reached += reached * grid * grid <= rest * (2 * reached * grid + rest)
        else:  # dean: where 2 s (s - 1) / (2 s - 1) is at most what is reached
            reached += reached * grid <= rest * (2 * reached + 1)
    pieces: Whole = np.clip(reached, 0, limits, out=reached)
    return pieces


def _worth(mark: int, kinds: Kinds, offset: int) -> Whole:
    """Count each claim's pieces whose loss weighs at least `mark`: twice the weight times the losses up to the signpost."""
    lost = -((offset * kinds.weights - mark) // np.maximum(2 * kinds.weights, 1))
    kept: Whole = np.maximum(kinds.limits - np.maximum(lost, 0), 0)
    return kept


def _refuse_rising(high: int, bits: int, heaviest: int, widest: int, rounding: str) -> None:
    reached = (high * max(heaviest, widest) >> bits) + 2
    refuse_beyond(reached << bits)
    if rounding == "hill":
        refuse_beyond(reached << (2 * bits + 2))
    elif rounding == "dean":
        refuse_beyond(reached << (bits + 2))


def _told_apart(
    kinds: Kinds, sure: Whole, level: NDArray[np.bool_], missing: int, rounding: str
) -> tuple[Whole, NDArray[np.bool_], int]:
    """Order the few prices within the last cell exactly, and leave only one price that is level."""
    places = np.flatnonzero(level & (kinds.counts > 0))
    pairs = np.stack([kinds.weights[places], sure[places] + 1], axis=1)
    unlike, pair_of = np.unique(pairs, axis=0, return_inverse=True)
    prices = [_price(weight, piece, rounding) for weight, piece in unlike.tolist()]
    order = {price: rank for rank, price in enumerate(sorted(set(prices)))}
    ranks = np.array([order[price] for price in prices])[pair_of.ravel()]
    for rank in range(len(order)):
        alike = places[ranks == rank]
        many = int(kinds.counts[alike].sum())
        if many >= missing:
            level = np.zeros(len(sure), np.bool_)
            level[alike] = True
            break
        sure[alike] += 1
        missing -= many
    return sure, level, missing


def _price(weight: int, piece: int, rounding: str) -> Fraction:
    return Path("cea", [weight], [piece]).price(0, piece, rounding)[1]

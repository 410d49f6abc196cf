"""The allocation rules as array kernels, for batches of hundreds to tens of millions of claims.

Claims stand in rising order of their ids' bytes: equal tickets fall back on the place. Weights, limits and targets are
int64 arrays, `numbers` holds each claim's `tickets.claim_number` as uint64. No float takes part, and nothing is sorted:
claims are counted by kind (weight, limit), solved on the kinds, and looked up again; only claims that stand level draw
tickets. Callers must see `within_bounds` first; beyond it whole numbers of Python do the same work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import MICRO

Whole = NDArray[np.int64]
Words = NDArray[np.uint64]

_CHUNK = 1 << 13
_BITS = tuple(np.uint64(bits) for bits in range(65))
_SAFE = 2**62


@dataclass(frozen=True, slots=True)
class Kinds:
    """Claims counted by weight and limit; `of_claim` points from each claim into the kinds, None if they are the claims."""

    weights: Whole
    limits: Whole
    counts: Whole
    of_claim: Whole | None

    def spread(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Give each claim the value of its kind."""
        return values if self.of_claim is None else values[self.of_claim]


def within_bounds(weights: Sequence[int] | Whole, limits: Sequence[int] | Whole, units: int) -> bool:
    """Tell whether no product in here can leave 64 bits."""
    heaviest, longest, lightest = int(max(weights)), int(max(limits)), int(min(weights))
    if max(heaviest, longest, units) >= 2**40:
        return False
    grid = 2 * heaviest * heaviest + 1
    highest = longest // lightest + 2
    total = heaviest * len(weights)
    products = (4 * grid * highest * heaviest, units * MICRO * heaviest, total * longest, 2 * total, longest * MICRO)
    return all(product < _SAFE for product in products)


def kinds_of(weights: Whole, limits: Whole) -> Kinds:
    """Count claims by weight and limit, where that is fewer numbers than claims."""
    width = int(limits.max()) + 1
    span = (int(weights.max()) + 1) * width
    if span > max(len(weights) // 2, 1 << 12):
        return Kinds(weights, limits, np.ones(len(weights), np.int64), None)
    kind = np.multiply(weights, width, dtype=np.int64)
    kind += limits
    counts = np.bincount(kind, minlength=span)
    weight_of, limit_of = np.divmod(np.arange(span, dtype=np.int64), width)
    return Kinds(weight_of, limit_of, counts, kind)


def cheapest_pieces(weights: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Hand out 0 < `units` < the sum of `limits` by `cea/webster`.

    Prices are searched on a grid so fine that a cell holds one distinct price at most.
    """
    kinds = kinds_of(weights, limits)
    heaviest = int(weights.max())
    grid = 2 * heaviest * heaviest + 1
    low, high = 0, grid * (int(limits.max()) // int(weights.min()) + 1)
    active = np.flatnonzero((kinds.counts > 0) & (kinds.limits > 0))
    w, c, k = kinds.weights[active], kinds.limits[active], kinds.counts[active]
    fixed = 0
    while high - low > 1:
        middle = (low + high) // 2
        pieces = _pieces_at(middle, grid, w, c)
        if fixed + int(k @ pieces) < units:
            low = middle
        else:
            high = middle
        if len(w) > 1 << 14 and (high - low) * heaviest < 4 * grid:
            settled = _pieces_at(low, grid, w, c) == _pieces_at(high, grid, w, c)
            fixed += int(k[settled] @ _pieces_at(low, grid, w[settled], c[settled]))
            w, c, k = w[~settled], c[~settled], k[~settled]
    sure = _pieces_at(low, grid, kinds.weights, kinds.limits)
    level = _pieces_at(high, grid, kinds.weights, kinds.limits) > sure
    awards: Whole = np.array(kinds.spread(sure), np.int64, copy=kinds.of_claim is None)
    missing = units - int(kinds.counts @ sure)
    drawing = np.flatnonzero(kinds.spread(level))
    awards[first_by_ticket(drawing, missing, key, numbers)] += 1
    return awards


def entitlements(weights: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Divide 0 < `units` < the sum of `limits` equally per share point, in micro-units that sum exactly."""
    kinds = kinds_of(weights, limits)
    is_open = (kinds.counts > 0) & (kinds.limits > 0)
    left, weight_left = units, int(kinds.counts[is_open] @ kinds.weights[is_open])
    while True:
        full = is_open & (kinds.limits * weight_left <= left * kinds.weights)
        if not full.any():
            break
        left -= int(kinds.counts[full] @ kinds.limits[full])
        weight_left -= int(kinds.counts[full] @ kinds.weights[full])
        is_open &= ~full
    parts = kinds.limits * MICRO
    parts[is_open] = left * MICRO * kinds.weights[is_open] // weight_left
    spare = left * MICRO - int(kinds.counts[is_open] @ parts[is_open])
    spread: Whole = np.array(kinds.spread(parts), np.int64, copy=False)
    if spare:
        drawing = np.flatnonzero(kinds.spread(is_open))
        spread[first_by_ticket(drawing, spare, key, numbers)] += 1
    return spread


def pieces_due(targets: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Hand out whole pieces, 0 <= `units` <= the sum of `limits`, so that the squares of what stays owed are least."""
    whole, rest = np.divmod(targets, MICRO)
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


def first_by_ticket(places: NDArray[np.intp], many: int, key: bytes, numbers: Words) -> NDArray[np.intp]:
    """Choose the `many` of `places` (rising) with the lowest tickets, equal tickets by place."""
    if many == 0 or many == len(places):
        return places[:many]
    drawn = tickets(key, numbers[places])
    mark = np.partition(drawn, many - 1)[many - 1]
    below = places[drawn < mark]
    return np.concatenate([below, places[drawn == mark][: many - len(below)]])


def tickets(key: bytes, numbers: Words) -> Words:
    """Draw the tickets of one batch's claims under its `tie_key`."""
    halves = np.frombuffer(key, "<u8").astype(np.uint64)
    return _siphash(halves[:1], halves[1:], numbers)


def tickets_of_many(keys: Sequence[bytes], sizes: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Draw the tickets of many batches in one go: `sizes` says how many of `numbers` belong to each batch's key."""
    halves = np.frombuffer(b"".join(keys), "<u8").astype(np.uint64).reshape(-1, 2).repeat(sizes, axis=0)
    drawn: list[int] = _siphash(halves[:, 0], halves[:, 1], np.array(numbers, np.uint64)).tolist()
    return drawn


def _pieces_at(cell: int, grid: int, weights: Whole, limits: Whole) -> Whole:
    pieces: Whole = np.minimum(limits, (2 * cell * weights + grid) // (2 * grid))
    return pieces


def _due_at(mark: int, whole: Whole, limits: Whole) -> tuple[Whole, int]:
    awards: Whole = whole - mark
    np.clip(awards, 0, limits, out=awards)
    return awards, int(awards.sum())


def _siphash(k0: Words, k1: Words, numbers: Words) -> Words:
    """SipHash-2-4 of 8-byte messages, in chunks that stay in the processor's cache; keys of length 1 serve all."""
    drawn = np.empty(len(numbers), np.uint64)
    spare = np.empty(_CHUNK, np.uint64)
    for start in range(0, len(numbers), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        word = numbers[chunk]
        first, second = (k0, k1) if len(k0) == 1 else (k0[chunk], k1[chunk])
        a = np.empty_like(word)
        a[:] = first ^ np.uint64(0x736F6D6570736575)
        b = np.empty_like(word)
        b[:] = second ^ np.uint64(0x646F72616E646F6D)
        c = np.empty_like(word)
        c[:] = first ^ np.uint64(0x6C7967656E657261)
        d = (second ^ np.uint64(0x7465646279746573)) ^ word
        room = spare[: len(word)]
        _rounds(2, a, b, c, d, room)
        a ^= word
        d ^= np.uint64(8 << 56)
        _rounds(2, a, b, c, d, room)
        a ^= np.uint64(8 << 56)
        c ^= np.uint64(0xFF)
        _rounds(4, a, b, c, d, room)
        a ^= b
        a ^= c
        np.bitwise_xor(a, d, out=drawn[chunk])
    return drawn


def _rounds(times: int, a: Words, b: Words, c: Words, d: Words, room: Words) -> None:
    for _ in range(times):
        a += b
        _turn(b, 13, room)
        b ^= a
        _turn(a, 32, room)
        c += d
        _turn(d, 16, room)
        d ^= c
        a += d
        _turn(d, 21, room)
        d ^= a
        c += b
        _turn(b, 17, room)
        b ^= c
        _turn(c, 32, room)


def _turn(word: Words, bits: int, room: Words) -> None:
    """Rotate left, in place."""
    np.left_shift(word, _BITS[bits], out=room)
    np.right_shift(word, _BITS[64 - bits], out=word)
    word |= room

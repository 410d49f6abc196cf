"""Claims counted by kind: as many numbers as there are different claims, to solve on before every claim is looked up."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coop.core.ticket_arrays import Whole, Words, by_two, first_by_ticket

SAFE = 2**62
"""What no whole number in the array kernels may reach; beyond it they raise OverflowError, and the reference serves."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Claims counted by weight and limit; `of_claim` points from each claim into the kinds, None if they are the claims."""

    weights: Whole
    limits: Whole
    counts: Whole
    of_claim: Whole | None

    def spread(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Give each claim the value of its kind."""
        kinds = self.of_claim
        if kinds is None:
            return values
        spread = np.empty(len(kinds), values.dtype)
        by_two(len(kinds), lambda part: values.take(kinds[part], out=spread[part], mode="clip"))
        return spread

    def total(self, values: Whole) -> int:
        """Sum the values of all claims."""
        return int(self.counts @ values)

    def with_limits(self, limits: Whole) -> "Kinds":
        return replace(self, limits=limits)

    def with_weights(self, weights: Whole) -> "Kinds":
        return replace(self, weights=np.maximum(weights, 1))  # 0 stands only where nothing is asked for


def kinds_of(weights: Whole, limits: Whole) -> Kinds:
    """Count claims by weight and limit, where that is fewer numbers than claims."""
    width = int(limits.max()) + 1
    span = (int(weights.max()) + 1) * width
    if span > max(len(weights) // 2, 1 << 12):
        return Kinds(weights, limits, np.ones(len(weights), np.int64), None)
    kind = np.empty(len(weights), np.int64)

    def count(part: slice) -> Whole:
        own = np.multiply(weights[part], width, out=kind[part])
        own += limits[part]
        return np.bincount(own, minlength=span)

    counts = sum(by_two(len(weights), count), np.zeros(span, np.int64))
    weight_of, limit_of = np.divmod(np.arange(span, dtype=np.int64), width)
    return Kinds(weight_of, limit_of, counts, kind)


def settled(kinds: Kinds, sure: Whole, level: NDArray[np.bool_], missing: int, key: bytes, numbers: Words) -> Whole:
    """Give every claim what its kind has for sure, and the `missing` pieces to those standing level, by ticket."""
    awards: Whole = np.array(kinds.spread(sure), np.int64, copy=kinds.of_claim is None)
    if missing:
        one_more = np.array(kinds.spread(level), np.bool_, copy=kinds.of_claim is None)
        standing_level = np.flatnonzero(one_more)
        one_more[standing_level] = first_by_ticket(standing_level, missing, key, numbers)
        awards += one_more
    return awards


def refuse_beyond(*products: int) -> None:
    """Raise OverflowError where one of the largest products would come near the end of 64 bits."""
    if any(product >= SAFE for product in products):
        raise OverflowError

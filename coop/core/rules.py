"""The allocation rules as an exact reference: fractions, one piece at a time.

This file is meant to be read beside the co-op's rule book; `kernel.py` and `sharing.py` are fast and must agree with
it to the last digit. Claims rules: Thomson, "How to Divide When There Isn't Enough" (2019); roundings: Balinski &
Young, "Fair Representation" (2001).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

Price = tuple[int, Fraction]
"""Phase, and price within the phase, at which a piece is bought; the cheapest pieces of all claims are handed out."""

Rank = tuple[int, bytes]
"""Ticket and claim id bytes: the lowest comes first."""

DEFAULT_ROUNDING = {
    "cea": "webster",
    "proportional": "largest_remainder",
    "cel": "largest_remainder",
    "talmud": "largest_remainder",
}


@dataclass(frozen=True, slots=True)
class Path:
    """A divisible rule on the claims of one batch: `name`, share points (or shares), and the most each may get."""

    name: str
    weights: Sequence[int]
    limits: Sequence[int]

    def awards(self, units: int) -> list[Fraction]:
        """Divide `units` (at most the sum of the limits) exactly."""
        demand = sum(self.limits)
        assert 0 <= units <= demand
        if self.name in {"cea", "proportional"}:
            return equal_awards(self.weights, self.limits, units)
        inverse = [Fraction(1, weight) for weight in self.weights]
        if self.name == "cel":
            losses = equal_awards(inverse, self.limits, demand - units)
            return [limit - loss for limit, loss in zip(self.limits, losses, strict=True)]
        assert self.name == "talmud"
        halves = [Fraction(limit, 2) for limit in self.limits]
        if 2 * units <= demand:
            return equal_awards(self.weights, halves, units)
        losses = equal_awards(inverse, halves, demand - units)
        return [limit - loss for limit, loss in zip(self.limits, losses, strict=True)]

    def price(self, place: int, piece: int, rounding: str) -> Price:
        """Price the `piece`-th piece (1, 2, ...) of a claim: where its path passes the signpost of the rounding."""
        weight, limit = self.weights[place], self.limits[place]
        if rounding == "hill":
            return 0, Fraction(piece * (piece - 1), weight * weight)
        post = _signpost(piece, rounding)
        if self.name in {"cea", "proportional"} or (self.name == "talmud" and 2 * piece - 1 <= limit):
            return 0, post / weight
        return 1, -weight * (limit - post)


def equal_awards(
    weights: Sequence[int | Fraction], limits: Sequence[int | Fraction], units: int | Fraction
) -> list[Fraction]:
    """Give min(limit, level x weight) to each, with the level at which everything is handed out."""
    awards = [Fraction(0)] * len(limits)
    left, weight_left = Fraction(units), sum((Fraction(weight) for weight in weights), Fraction(0))
    open_claims = [place for place, limit in enumerate(limits) if limit > 0]
    weight_left -= sum((Fraction(weights[place]) for place, limit in enumerate(limits) if limit == 0), Fraction(0))
    for place in sorted(open_claims, key=lambda place: Fraction(limits[place]) / weights[place]):
        award = min(Fraction(limits[place]), left / weight_left * weights[place])
        awards[place] = award
        left -= award
        weight_left -= weights[place]
    assert left == 0
    return awards


def rounded(path: Path, units: int, rounding: str, ranks: Sequence[Rank], offset: Fraction = Fraction(0)) -> list[int]:
    """Hand out whole pieces along a path; `offset` turns the wheel and matters to it alone."""
    if units >= sum(path.limits):
        return list(path.limits)
    if rounding == "largest_remainder":
        return largest_remainder(path.awards(units), units, ranks)
    if rounding == "wheel":
        return wheel(path.awards(units), ranks, offset)
    return cheapest_pieces(path, units, rounding, ranks)


def cheapest_pieces(path: Path, units: int, rounding: str, ranks: Sequence[Rank]) -> list[int]:
    """Hand out the `units` cheapest pieces, one at a time, ties by rank.

    Pieces that are cheap beyond doubt are handed out at once, so that huge batches end: at the path's level for n
    pieces fewer (n claims) no claim has more than its divisible award plus one piece at or under that level.
    """
    awards = [0] * len(path.limits)
    if units > 3 * len(awards):
        awards = [max(0, floor(award) - 1) for award in path.awards(units - len(awards))]
    heap = [
        (path.price(place, awards[place] + 1, rounding), ranks[place], place)
        for place, limit in enumerate(path.limits)
        if awards[place] < limit
    ]
    heapq.heapify(heap)
    for _ in range(units - sum(awards)):
        _, rank, place = heap[0]
        awards[place] += 1
        if awards[place] < path.limits[place]:
            heapq.heapreplace(heap, (path.price(place, awards[place] + 1, rounding), rank, place))
        else:
            heapq.heappop(heap)
    return awards


def largest_remainder(shares: Sequence[Fraction], units: int, ranks: Sequence[Rank]) -> list[int]:
    """Round every share down, then give one piece more to the largest fractional parts, ties by rank."""
    awards = [floor(share) for share in shares]
    order = sorted(range(len(shares)), key=lambda place: (awards[place] - shares[place], ranks[place]))
    for place in order[: units - sum(awards)]:
        awards[place] += 1
    return awards


def wheel(shares: Sequence[Fraction], ranks: Sequence[Rank], offset: Fraction) -> list[int]:
    """Lay the shares end to end in rank order and count the whole marks, shifted by `offset`, inside each."""
    awards = [0] * len(shares)
    passed = offset
    for place in sorted(range(len(shares)), key=lambda place: ranks[place]):
        awards[place] = floor(passed + shares[place]) - floor(passed)
        passed += shares[place]
    return awards


def _signpost(piece: int, rounding: str) -> Fraction:
    match rounding:
        case "adams":
            return Fraction(piece - 1)
        case "jefferson":
            return Fraction(piece)
        case "dean":
            return Fraction(2 * piece * (piece - 1), 2 * piece - 1)
    assert rounding == "webster"
    return Fraction(2 * piece - 1, 2)

"""A member's standing over the season, as an exact reference: entitlement, what is owed, and its bound.

Each batch adds what a member was entitled to and takes off what was received. The balance never passes (n - 1) / 2
pieces either way, n being the members who ever claim, however many batches the season has.
"""

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import floor

from coop.core.claims import MICRO, STANDING_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.rule_book import extras_by_reference, wishes_by_reference
from coop.core.rules import Rank, equal_awards
from coop.core.tickets import ticket as draw
from coop.core.tickets import tie_key


def entitlements(
    weights: Sequence[int], limits: Sequence[int], units: int, ranks: Sequence[Rank], heads: Sequence[Fraction] = ()
) -> list[int]:
    """Divide `units` equally per share point, in micro-units that sum to `units` exactly.

    What rounding down leaves goes one micro-unit each, in rank order, to those who get neither nothing nor all.
    """
    exact = awards_above(heads, weights, limits, units) if heads else equal_awards(weights, limits, units)
    parts = [floor(award * MICRO) for award in exact]
    between = [place for place, award in enumerate(exact) if 0 < award < limits[place]]
    between.sort(key=lambda place: ranks[place])
    for place in between[: units * MICRO - sum(parts)]:
        parts[place] += 1
    return parts


def awards_above(
    heads: Sequence[Fraction], weights: Sequence[int], limits: Sequence[int], units: int
) -> list[Fraction]:
    """Give min(limit, max(0, level - head) x weight) to each, with the level at which everything is handed out."""
    bends = sorted({*heads, *(head + Fraction(c, w) for head, w, c in zip(heads, weights, limits, strict=True))})

    def given(level: Fraction) -> Fraction:
        return sum(
            (
                min(Fraction(c), max(Fraction(0), level - head) * w)
                for head, w, c in zip(heads, weights, limits, strict=True)
            ),
            Fraction(0),
        )

    below = bends[bisect_right(bends, Fraction(units), key=given) - 1]
    rising = sum(w for head, w, c in zip(heads, weights, limits, strict=True) if head <= below < head + Fraction(c, w))
    level = below + (units - given(below)) / rising if rising else below
    return [
        min(Fraction(c), max(Fraction(0), level - head) * w) for head, w, c in zip(heads, weights, limits, strict=True)
    ]


def hand_out(targets: Sequence[int], limits: Sequence[int], units: int, ranks: Sequence[Rank]) -> list[int]:
    """Hand out pieces one at a time to whoever would then still be owed most, ties by rank.

    That is the least sum of squares of (target - pieces). Pieces that are due beyond doubt are handed out at once.
    """
    awards = [0] * len(limits)
    if units > 3 * len(awards):
        mark = _mark(targets, limits, units)
        awards = [_pieces_above(mark, target, limit) for target, limit in zip(targets, limits, strict=True)]
    heap = [
        (MICRO * (awards[place] + 1) - targets[place], ranks[place], place)
        for place, limit in enumerate(limits)
        if awards[place] < limit
    ]
    heapq.heapify(heap)
    for _ in range(units - sum(awards)):
        lacking, rank, place = heap[0]
        awards[place] += 1
        if awards[place] < limits[place]:
            heapq.heapreplace(heap, (lacking + MICRO, rank, place))
        else:
            heapq.heappop(heap)
    return awards


def share_out_by_reference(batch: BatchInput, standing: Standing, terms: Terms, seed: bytes) -> Outcome:
    """Share out one batch as the rule book says it, leaving `standing` as it is."""
    key = tie_key(seed, batch.id)
    demand = sum(batch.requests)
    plenty = batch.units >= demand and not any(batch.tolerances) and batch.rule != "lots@1"
    decided = batch.units == 0 or len(batch.ids) == 1 or plenty
    ranks = [(0 if decided else draw(key, claim), claim.encode()) for claim in batch.ids]
    if batch.rule == STANDING_RULE:
        assert terms.memory is not None
        outcome = _with_standing(batch, min(batch.units, demand), ranks, None, standing, terms)
    else:
        outcome = Outcome(wishes_by_reference(batch, ranks, seed))
        if terms.memory is not None:
            outcome = _with_standing(batch, sum(outcome.awards), ranks, outcome.awards, standing, terms)
    left = batch.units - sum(outcome.awards)
    if batch.units <= demand or left == 0 or not any(batch.tolerances):
        return outcome
    more = extras_by_reference(batch, left, ranks, seed)
    return outcome._replace(awards=[award + extra for award, extra in zip(outcome.awards, more, strict=True)])


def average_heads(
    entitled: Sequence[int], weights: Sequence[int], limits: Sequence[int], credit_cap: int | None
) -> list[Fraction]:
    """Give each member's pieces received per share point, held within `credit_cap` of the average of who claims."""
    heads = [Fraction(sum_so_far, weight * MICRO) for sum_so_far, weight in zip(entitled, weights, strict=True)]
    claiming = [place for place, limit in enumerate(limits) if limit > 0]
    if credit_cap is None or not claiming:
        return heads
    average = Fraction(sum(entitled[place] for place in claiming), sum(weights[place] for place in claiming) * MICRO)
    return [min(max(head, average - credit_cap), average + credit_cap) for head in heads]


def bound(members: int) -> Fraction:
    """Give the most pieces that any of `members` can ever be owed, or be ahead."""
    return Fraction(max(0, members - 1), 2)


def _with_standing(
    batch: BatchInput,
    units: int,
    ranks: Sequence[Rank],
    awards: Sequence[int] | None,
    standing: Standing,
    terms: Terms,
) -> Outcome:
    """Entitle members to the `units` that go to wishes, hand them out unless `awards` are given, and book both."""
    opening = [standing.owed.get(claim, 0) for claim in batch.ids]
    entitled = [standing.entitled.get(claim, 0) for claim in batch.ids] if terms.memory == "season" else []
    heads = average_heads(entitled, batch.weights, batch.requests, terms.credit_cap) if entitled else []
    parts = entitlements(batch.weights, batch.requests, units, ranks, heads)
    targets = [before + part for before, part in zip(opening, parts, strict=True)]
    if awards is None:
        awards = hand_out(targets, batch.requests, units, ranks)
    closing = [target - MICRO * award for target, award in zip(targets, awards, strict=True)]
    return Outcome(awards, parts, opening, closing, entitled)


def _pieces_above(mark: int, target: int, limit: int) -> int:
    return max(0, min((target - mark) // MICRO, limit))


def _mark(targets: Sequence[int], limits: Sequence[int], units: int) -> int:
    """Find the least mark that not more than `units` pieces leave their owner still owed as much as."""
    low = min(targets) - MICRO * (max(limits) + 1)
    high = max(targets)
    while low < high:
        mark = (low + high) // 2
        above = sum(_pieces_above(mark, target, limit) for target, limit in zip(targets, limits, strict=True))
        if above <= units:
            high = mark
        else:
            low = mark + 1
    return low

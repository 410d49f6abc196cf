"""Sharing out small batches by whole numbers alone: no fractions, no arrays; equal to the reference to the last digit.

`tickets` stand in the order of the claims, which rise by the bytes of their ids: equal tickets fall back on the place.
"""

import heapq
from collections.abc import Sequence
from math import lcm

from coop.core.claims import MICRO
from coop.core.standing import hand_out


def entitlements(weights: Sequence[int], limits: Sequence[int], units: int, tickets: Sequence[int]) -> list[int]:
    """Divide 0 < `units` < the sum of `limits` equally per share point, in micro-units, by whole numbers alone."""
    open_claims, left, weight_left = _level(weights, limits, units)
    parts = [limit * MICRO for limit in limits]
    left *= MICRO
    spare = left
    for place in open_claims:
        parts[place] = part = left * weights[place] // weight_left
        spare -= part
    if spare:
        open_claims.sort(key=tickets.__getitem__)
        for place in open_claims[:spare]:
            parts[place] += 1
    return parts


def entitlements_above(
    entitled: Sequence[int],
    weights: Sequence[int],
    limits: Sequence[int],
    units: int,
    credit_cap: int | None,
    tickets: Sequence[int],
) -> list[int]:
    """Divide 0 < `units` < the sum of `limits` to whoever received least per share point, by whole numbers alone.

    Heads and level are whole multiples of 1 / (a common multiple of all weights and of their sum) micro-units.
    """
    claiming = [place for place, limit in enumerate(limits) if limit]
    weight_sum = sum([weights[place] for place in claiming])
    scale = lcm(weight_sum, *weights)
    heads = [part * (scale // weight) for part, weight in zip(entitled, weights, strict=True)]
    if credit_cap is not None:
        average = sum([entitled[place] for place in claiming]) * (scale // weight_sum)
        room = credit_cap * MICRO * scale
        heads = [min(max(head, average - room), average + room) for head in heads]
    ends = [
        head + limit * MICRO * (scale // weight) for head, limit, weight in zip(heads, limits, weights, strict=True)
    ]
    level, rate = _level_above(heads, ends, weights, claiming, units * MICRO * scale)
    parts = [0] * len(limits)
    between = []
    for place in claiming:
        if level >= ends[place] * rate:
            parts[place] = limits[place] * MICRO
        elif level > heads[place] * rate:
            parts[place] = (level - heads[place] * rate) * weights[place] // (rate * scale)
            between.append(place)
    between.sort(key=tickets.__getitem__)
    for place in between[: units * MICRO - sum(parts)]:
        parts[place] += 1
    return parts


def pieces_due(targets: Sequence[int], limits: Sequence[int], units: int, tickets: Sequence[int]) -> list[int]:
    """Hand out whole pieces so that the squares of what stays owed are least, by whole numbers alone."""
    awards = []
    missing = units
    for target, limit in zip(targets, limits, strict=True):
        award = target // MICRO
        award = 0 if award < 0 else min(award, limit)
        awards.append(award)
        missing -= award
    if abs(missing) > len(limits):
        ranks = [(ticket, place.to_bytes(8, "big")) for place, ticket in enumerate(tickets)]
        return hand_out(targets, limits, units, ranks)
    starts = [-target for target in targets]
    return _settled(awards, limits, missing, [MICRO] * len(limits), starts, tickets)


def cheapest_pieces(weights: Sequence[int], limits: Sequence[int], units: int, tickets: Sequence[int]) -> list[int]:
    """Hand out 0 < `units` < the sum of `limits` by `cea/webster`, by whole numbers alone."""
    open_claims, left, weight_left = _level(weights, limits, units)
    awards = list(limits)
    for place in open_claims:
        nearest = (2 * left * weights[place] + weight_left) // (2 * weight_left)
        awards[place] = min(limits[place], nearest)
    whole = lcm(*weights)
    halves = [whole // weight for weight in weights]
    missing = units - sum(awards)
    return _settled(awards, limits, missing, [2 * half for half in halves], [-half for half in halves], tickets)


def _level(weights: Sequence[int], limits: Sequence[int], units: int) -> tuple[list[int], int, int]:
    """Find who is not full at the level that hands out all, and the pieces and the share points left for them."""
    open_claims = [place for place, limit in enumerate(limits) if limit]
    weight_left = sum([weights[place] for place in open_claims])
    while True:
        still_open = []
        left, weight = units, weight_left
        for place in open_claims:
            if limits[place] * weight <= left * weights[place]:
                units -= limits[place]
                weight_left -= weights[place]
            else:
                still_open.append(place)
        if len(still_open) == len(open_claims):
            return open_claims, units, weight_left
        open_claims = still_open


def _level_above(
    heads: Sequence[int], ends: Sequence[int], weights: Sequence[int], claiming: Sequence[int], wanted: int
) -> tuple[int, int]:
    """Raise the level from the lowest head until `wanted` is given; the level is the first number over the second."""
    bends = [(heads[place], weights[place]) for place in claiming]
    bends += [(ends[place], -weights[place]) for place in claiming]
    bends.sort()
    at = rate = given = 0
    for bend, change in bends:
        if rate and given + rate * (bend - at) >= wanted:
            break
        given += rate * (bend - at)
        at = bend
        rate += change
    return at * rate + wanted - given, rate


def _settled(
    awards: list[int],
    limits: Sequence[int],
    missing: int,
    slopes: Sequence[int],
    starts: Sequence[int],
    tickets: Sequence[int],
) -> list[int]:
    """Add the cheapest pieces that are missing, or take back the dearest; piece s costs start + s x slope."""
    if missing > 0:
        _add(awards, limits, missing, slopes, starts, tickets)
    elif missing < 0:
        _take_back(awards, -missing, slopes, starts, tickets)
    return awards


def _add(
    awards: list[int],
    limits: Sequence[int],
    missing: int,
    slopes: Sequence[int],
    starts: Sequence[int],
    tickets: Sequence[int],
) -> None:
    heap = [
        (starts[place] + slopes[place] * (award + 1), tickets[place], place)
        for place, award in enumerate(awards)
        if award < limits[place]
    ]
    heapq.heapify(heap)
    for _ in range(missing):
        price, ticket, place = heap[0]
        awards[place] += 1
        if awards[place] < limits[place]:
            heapq.heapreplace(heap, (price + slopes[place], ticket, place))
        else:
            heapq.heappop(heap)


def _take_back(
    awards: list[int], excess: int, slopes: Sequence[int], starts: Sequence[int], tickets: Sequence[int]
) -> None:
    heap = [
        (-starts[place] - slopes[place] * award, -tickets[place], -place) for place, award in enumerate(awards) if award
    ]
    heapq.heapify(heap)
    for _ in range(excess):
        price, ticket, mirrored = heap[0]
        place = -mirrored
        awards[place] -= 1
        if awards[place]:
            heapq.heapreplace(heap, (price + slopes[place], ticket, mirrored))
        else:
            heapq.heappop(heap)

"""Rules that go by order or by lots rather than along a divisible path, as an exact reference."""

import heapq
from collections.abc import Sequence
from fractions import Fraction
from math import factorial

from coop.core.claims import Row
from coop.core.errors import RuleBroken
from coop.core.rules import Rank
from coop.core.tickets import share_ticket

RANDOM_ARRIVAL_STEPS = 20_000_000


def in_order(limits: Sequence[int], units: int, order: Sequence[int]) -> list[int]:
    """Serve claims one after the other, each up to its limit."""
    awards = [0] * len(limits)
    for place in order:
        awards[place] = min(limits[place], units)
        units -= awards[place]
    return awards


def lottery_order(ids: Sequence[str], weights: Sequence[int], key: bytes) -> list[int]:
    """Order claims by the best of one ticket per share point."""
    best = [
        (min(share_ticket(key, claim, point) for point in range(weight)), claim.encode())
        for claim, weight in zip(ids, weights, strict=True)
    ]
    return sorted(range(len(ids)), key=lambda place: best[place])


def priority(
    tiers: Sequence[int], rows: Sequence[Sequence[Row]], units: int, ranks: Sequence[Rank], *, by_tolerance: bool
) -> list[int]:
    """Serve the quantities, or the tolerances, of dated rows by tier, time and rank.

    Row for row as Foodsoft does (app/models/order_article.rb), with its first unlimited step cut at what there is.
    """
    dated = [
        (tiers[place] if tiers else 0, row.time, ranks[place], count, place, row)
        for place, own in enumerate(rows)
        for count, row in enumerate(own)
    ]
    dated.sort(key=lambda entry: entry[:4])
    awards = [0] * len(rows)
    for *_, place, row in dated:
        given = min(row.tolerance if by_tolerance else row.quantity, units)
        awards[place] += given
        units -= given
    return awards


def lots(
    weights: Sequence[int],
    limits: Sequence[int],
    packs: Sequence[int],
    minimums: Sequence[int],
    units: int,
    ranks: Sequence[Rank],
) -> list[int]:
    """Hand out whole lots, cheapest first by the level at mid-lot; a lot that no longer fits closes its claim.

    The first lot is the minimum rounded up to packs, every further one a pack.
    """
    packs = packs or [1] * len(limits)
    awards = [0] * len(limits)
    heap: list[tuple[Fraction, Rank, int, int]] = []

    def offer(place: int, size: int) -> None:
        if 0 < size <= limits[place] - awards[place]:
            heapq.heappush(heap, (Fraction(2 * awards[place] + size, 2 * weights[place]), ranks[place], place, size))

    for place, minimum in enumerate(minimums or [0] * len(limits)):
        offer(place, -(-max(minimum, 1) // packs[place]) * packs[place])
    while heap:
        _, _, place, size = heapq.heappop(heap)
        if size <= units:
            awards[place] += size
            units -= size
            offer(place, packs[place])
    return awards


def leximin_strict(weights: Sequence[int], limits: Sequence[int], units: int, ranks: Sequence[Rank]) -> list[int]:
    """Give each next piece to the least award per share point, equal ones to the smaller weight: a yardstick only."""
    awards = [0] * len(limits)
    heap = [(Fraction(0), weights[place], ranks[place], place) for place, limit in enumerate(limits) if limit > 0]
    heapq.heapify(heap)
    for _ in range(min(units, sum(limits))):
        _, weight, rank, place = heap[0]
        awards[place] += 1
        if awards[place] < limits[place]:
            heapq.heapreplace(heap, (Fraction(awards[place], weight), weight, rank, place))
        else:
            heapq.heappop(heap)
    return awards


def random_arrival(limits: Sequence[int], units: int) -> list[Fraction]:
    """Average the awards over all orders of arrival, everybody served in full while units last (O'Neill 1982)."""
    if len(limits) ** 3 * min(units + 1, 2 ** len(limits)) > RANDOM_ARRIVAL_STEPS:
        raise RuleBroken("too_large", "Random arrival is a yardstick for small problems only.", field="claims")
    awards = []
    for place, limit in enumerate(limits):
        before = _earlier_sums([*limits[:place], *limits[place + 1 :]], units)
        orders = sum(
            (
                ways * factorial(size) * factorial(len(limits) - 1 - size) * min(limit, units - taken)
                for (size, taken), ways in before.items()
            ),
            0,
        )
        awards.append(Fraction(orders, factorial(len(limits))))
    return awards


def order_packs(quantity: int, tolerance: int, pack: int, minimum: int = 0) -> int:
    """Size the order to the artisan in packs, as Foodsoft's `calculate_units_to_order` does, its minimum included."""
    if quantity + tolerance < minimum:
        return 0
    if 0 < quantity < minimum:
        return minimum
    packs, rest = divmod(quantity, pack)
    return packs + (1 if rest > 0 and rest + tolerance >= pack else 0)


def _earlier_sums(limits: Sequence[int], units: int) -> dict[tuple[int, int], int]:
    """Count the sets of claims by (how many, what they take together), as long as they leave something."""
    counts = {(0, 0): 1}
    for limit in limits:
        for (size, taken), ways in list(counts.items()):
            if taken + limit < units:
                after = (size + 1, taken + limit)
                counts[after] = counts.get(after, 0) + ways
    return counts

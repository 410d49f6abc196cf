"""How many pieces each member gets of several products together, and which: the exact reference.

The next piece always goes to the member for whom it is cheapest, ties by ticket; a member who can't be raised, however
the others' pieces are moved, is closed for good. `leximin_arrays.py` gives the same faster.
"""

import heapq
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

from coop.core.claims import MICRO
from coop.core.networks import Network, Supply
from coop.core.rules import Rank
from coop.core.tickets import ticket, tie_key


class Pick(NamedTuple):
    """A member's turn, and the product taken in it."""

    member: int
    product: int


class Shares(NamedTuple):
    """What came of it: pieces by member, the picks in the order of the turns, and entitlements where balances are kept."""

    totals: Sequence[int]
    picks: Sequence[Pick]
    entitlements: Sequence[int] = ()


class Prices(Protocol):
    """What a member's first, second, ... piece costs; it rises with the count."""

    def price(self, member: int, piece: int) -> Fraction | int: ...

    def pieces_at(self, member: int, level: int) -> int:
        """Count the member's pieces up to a level; those of all members come before every piece above the level."""
        ...

    def lowest_level(self) -> int:
        """Give a level up to which nobody has any piece."""
        ...


class WebsterPrices(NamedTuple):
    """(2s - 1) / (2w): equally many pieces per share point."""

    weights: Sequence[int]

    def price(self, member: int, piece: int) -> Fraction:
        return Fraction(2 * piece - 1, 2 * self.weights[member])

    def pieces_at(self, member: int, level: int) -> int:
        return self.weights[member] * level

    def lowest_level(self) -> int:
        return 0


class StandingPrices(NamedTuple):
    """s x MICRO - target: the next piece goes to whoever would then still be owed most."""

    targets: Sequence[int]

    def price(self, member: int, piece: int) -> int:
        return MICRO * piece - self.targets[member]

    def pieces_at(self, member: int, level: int) -> int:
        return level + self.targets[member] // MICRO

    def lowest_level(self) -> int:
        return -(max(self.targets, default=0) // MICRO)


def member_totals(network: Network, prices: Prices, ranks: Sequence[Rank]) -> tuple[list[int], Supply]:
    """Hand out pieces one at a time; gives how many each member gets, and one way in which the products supply them.

    Pieces that are handed out beyond doubt, because all open members can be raised to a level together, go at once.
    """
    limits, totals = network.limits(), [0] * len(network.ids)
    supply = Supply(network)
    open_members = {member for member, limit in enumerate(limits) if limit}
    level = prices.lowest_level()
    while open_members:
        supply, level = _at_once(supply, totals, open_members, limits, prices, level)
        open_members -= {member for member in open_members if totals[member] == limits[member]}
        heap = [(prices.price(member, totals[member] + 1), ranks[member], member) for member in open_members]
        heapq.heapify(heap)
        while heap:
            _, rank, member = heap[0]
            if not supply.raised(member, 1):
                open_members.discard(member)
                break
            totals[member] += 1
            if totals[member] < limits[member]:
                heapq.heapreplace(heap, (prices.price(member, totals[member] + 1), rank, member))
            else:
                heapq.heappop(heap)
                open_members.discard(member)
    return totals, supply


def entitlements_in_flow(network: Network, ranks: Sequence[Rank]) -> list[int]:
    """Divide the products by the same rule in micro-units; their sum is the pieces that can be handed out."""
    parts, _ = member_totals(network.scaled(MICRO), WebsterPrices(network.weights), ranks)
    return parts


def picks(network: Network, totals: Sequence[int], supply: Supply, prices: Prices, ranks: Sequence[Rank]) -> list[Pick]:
    """Choose which products the pieces are: each, in the order in which they were handed out, takes its member's most
    preferred product that leaves everybody's total possible.
    """
    turns = [
        (prices.price(member, piece), ranks[member], member)
        for member, total in enumerate(totals)
        for piece in range(1, total + 1)
    ]
    return [
        Pick(member, next(product for product, _ in network.wishes[member] if supply.settle(member, product)))
        for _, _, member in sorted(turns)
    ]


def share_out_flow(network: Network, seed: bytes, batch_id: str, opening: Sequence[int] | None = None) -> Shares:
    """Share out by the prices of cea/webster, or, with what each is owed at the opening, by the standing."""
    key = tie_key(seed, batch_id)
    ranks = [(ticket(key, member), member.encode()) for member in network.ids]
    prices: Prices = WebsterPrices(network.weights)
    parts: list[int] = []
    if opening is not None:
        parts = entitlements_in_flow(network, ranks)
        prices = StandingPrices([owed + part for owed, part in zip(opening, parts, strict=True)])
    totals, supply = member_totals(network, prices, ranks)
    return Shares(totals, picks(network, totals, supply, prices, ranks), parts)


def _at_once(
    supply: Supply, totals: list[int], open_members: set[int], limits: Sequence[int], prices: Prices, level: int
) -> tuple[Supply, int]:
    """Raise all open members to the highest level that they reach together; `totals` moves along."""

    def steps(at: int) -> dict[int, int]:
        goals = {member: min(limits[member], prices.pieces_at(member, at)) for member in open_members}
        return {member: goal - totals[member] for member, goal in goals.items() if goal > totals[member]}

    def supplied(at: int) -> Supply | None:
        trial = supply.copy()
        return trial if all(trial.raised(member, step) == step for member, step in steps(at).items()) else None

    wanted = sum(limits[member] - totals[member] for member in open_members)
    high = level + 1
    while sum(steps(high).values()) < wanted:
        high += high - level
    best, low, high = supply, level, high + 1
    while high - low > 1:
        middle = (low + high) // 2
        trial = supplied(middle)
        if trial is None:
            high = middle
        else:
            best, low = trial, middle
    for member, step in steps(low).items():
        totals[member] += step
    return best, low

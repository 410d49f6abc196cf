"""Several products at once: who may take how much of what, and a supply that moves pieces between members exactly.

Members' totals that the products can supply together form an integral polymatroid, so handing out one piece at a time
and closing whoever can't be raised any more is exact (Federgruen & Groenevelt 1986).
"""

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """Members in rising order of their ids' bytes, products in rising order of theirs, and what links them.

    `caps` limits a member's total. `wishes[place]` are one member's (product, limit) pairs in the order of preference;
    each product stands there once at most.
    """

    ids: Sequence[str]
    weights: Sequence[int]
    caps: Sequence[int]
    products: Sequence[str]
    units: Sequence[int]
    wishes: Sequence[Sequence[tuple[int, int]]]

    def limits(self) -> list[int]:
        """Give the most pieces that each member could take if nobody else were there."""
        return [
            min(cap, sum(min(limit, self.units[product]) for product, limit in wishes))
            for cap, wishes in zip(self.caps, self.wishes, strict=True)
        ]

    def scaled(self, factor: int) -> "Network":
        """Give the same network with every piece cut into `factor` parts."""
        wishes = [[(product, limit * factor) for product, limit in wishes] for wishes in self.wishes]
        units = [units * factor for units in self.units]
        return Network(self.ids, self.weights, [cap * factor for cap in self.caps], self.products, units, wishes)


class Supply:
    """Pieces of the products as they lie with the members; any of them may still move while totals stay."""

    def __init__(self, network: Network) -> None:
        self._room = [
            {product: limit for product, limit in wishes if min(limit, network.units[product]) > 0}
            for wishes in network.wishes
        ]
        self.held: list[dict[int, int]] = [{} for _ in network.ids]
        self.free = list(network.units)
        self._holders: list[set[int]] = [set() for _ in network.units]

    def copy(self) -> "Supply":
        twin = object.__new__(Supply)
        twin._room = [dict(room) for room in self._room]
        twin.held = [dict(held) for held in self.held]
        twin.free = list(self.free)
        twin._holders = [set(holders) for holders in self._holders]
        return twin

    def raised(self, member: int, pieces: int) -> int:
        """Give a member up to `pieces` more, moving others' pieces to their other products; gives how many it was."""
        given = 0
        while given < pieces:
            path = self._path([product for product, room in self._room[member].items() if room], set())
            if path is None:
                break
            step = min(pieces - given, self._room[member][path[0][1]], self._width(path))
            self._shift(path, step)
            self._put(member, path[0][1], step)
            self.free[path[-1][1]] -= step
            given += step
        return given

    def settle(self, member: int, product: int) -> bool:
        """Let a member keep one piece of `product` for good, out of its total, if all totals stay possible; gives whether."""
        if not self._room[member].get(product, 0) and not self.held[member].get(product, 0):
            return False
        if not self.held[member].get(product, 0):
            path = self._path([product], set(self.held[member]))
            if path is None:
                return False
            left = path[-1][1]
            self._shift(path, 1)
            if left in self.held[member] and not self.free[left]:
                self.free[left] += 1
                self._take(member, left, 1)
            else:
                moved = next(iter(self.held[member]))
                self._take(member, moved, 1)
                self.free[moved] += 1
            self.free[left] -= 1
            self._put(member, product, 1)
        self._take(member, product, 1)
        self._room[member][product] -= 1
        return True

    def _path(self, starts: Sequence[int], ends: set[int]) -> list[tuple[int, int]] | None:
        """Find the shortest way from a product to one that is free or in `ends`: (member who moves, to product) steps.

        The first step names no mover (-1), only where the way begins.
        """
        came: dict[int, tuple[int, int]] = dict.fromkeys(starts, (-1, -1))
        queue = deque(starts)
        while queue:
            product = queue.popleft()
            if self.free[product] or product in ends:
                path = [(came[product][0], product)]
                while came[product][1] >= 0:
                    product = came[product][1]
                    path.append((came[product][0], product))
                return path[::-1]
            for mover in self._holders[product]:
                for other, room in self._room[mover].items():
                    if room and other not in came:
                        came[other] = (mover, product)
                        queue.append(other)
        return None

    def _width(self, path: Sequence[tuple[int, int]]) -> int:
        """Give how many pieces may move along a path at once; on a shortest path nobody moves twice."""
        widths = [self.free[path[-1][1]]]
        for (_, before), (mover, after) in itertools.pairwise(path):
            widths += [self.held[mover][before], self._room[mover][after]]
        return min(widths)

    def _shift(self, path: Sequence[tuple[int, int]], pieces: int) -> None:
        for (_, before), (mover, after) in reversed(list(itertools.pairwise(path))):
            self._take(mover, before, pieces)
            self._put(mover, after, pieces)

    def _put(self, member: int, product: int, pieces: int) -> None:
        self._room[member][product] -= pieces
        self.held[member][product] = self.held[member].get(product, 0) + pieces
        self._holders[product].add(member)

    def _take(self, member: int, product: int, pieces: int) -> None:
        self._room[member][product] += pieces
        self.held[member][product] -= pieces
        if not self.held[member][product]:
            del self.held[member][product]
            self._holders[product].discard(member)

"""Moves pieces between the products that members accept until no product carries more than it has, by whole arrays.

Every member holds as many pieces as it should get from the start; only the products' loads are wrong. Products are few,
so the residual graph is kept between products: one leads to another if some member holds pieces of the one and would
take more of the other. Layers of products by their distance from one with room, moving from the far to the near: the
push-relabel method (Goldberg & Tarjan 1988) with the members' side pushed as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Places = NDArray[np.intp]
Marks = NDArray[np.bool_]
Words = NDArray[np.uint64]

_WORD = 64
_BITS = tuple(np.uint64(1 << bit) for bit in range(_WORD))


@dataclass(slots=True)
class Loads:
    """Pieces on the edges between members and products; edges lie together by product, `bounds` says where each begins
    and ends.

    `owners` say whose an edge is, of `members` in all, `limits` and `held` how many pieces it may and does carry.
    """

    members: int
    bounds: Sequence[int]
    owners: Places
    limits: Whole
    held: Whole
    units: Whole
    _holds: list[Words] = field(default_factory=list)
    _takes: list[Words] = field(default_factory=list)
    _excess: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        words = -(-len(self.units) // _WORD)
        self._holds, self._takes = ([np.zeros(self.members, np.uint64) for _ in range(words)] for _ in range(2))
        for product, pieces in enumerate(self.units.tolist()):
            edges = self._edges(product)
            word, bit = divmod(product, _WORD)
            self._holds[word][self.owners[edges][self.held[edges] > 0]] |= _BITS[bit]
            self._takes[word][self.owners[edges][self.held[edges] < self.limits[edges]]] |= _BITS[bit]
            self._excess.append(int(self.held[edges].sum()) - pieces)

    def excess(self) -> Whole:
        """Give how many pieces each product carries beyond what it has; negative where there is room."""
        return np.array(self._excess, np.int64)

    def change(self, steps: Whole) -> None:
        """Give each member so many pieces more or fewer, where they do best; the edges must have room for them."""
        more, fewer = np.maximum(steps, 0), np.maximum(-steps, 0)
        order = np.argsort(self.excess(), kind="stable").tolist()
        to_take_off, to_put_on = int(fewer.sum()), int(more.sum())
        for product in reversed(order) if to_take_off else ():
            to_take_off -= self._move(product, fewer, -1, self._excess[product])
        for product in order if to_put_on else ():
            to_put_on -= self._move(product, more, 1, -self._excess[product])
        for product in order:
            if to_take_off:
                to_take_off -= self._move(product, fewer, -1)
            if to_put_on:
                to_put_on -= self._move(product, more, 1)

    def balance(self) -> Marks:
        """Even out the loads as far as possible; marks the products from which no way leads to one with room.

        If none of them carries too much, everything can be supplied; otherwise the marked products are what cannot.
        """
        while True:
            excess = self.excess()
            layers = self._layers(excess < 0)
            furthest = int(layers[excess > 0].max(initial=-1))
            if furthest < 0:
                marked: Marks = layers < 0
                return marked
            for layer in range(furthest, 0, -1):
                self._push(np.flatnonzero(layers == layer).tolist(), layers == layer - 1)

    def _push(self, crowded: Sequence[int], below: Marks) -> None:
        """Move what the products of a layer carry too much on to the products of the layer below."""
        movers = self._any(self._takes, below)
        chosen = np.zeros(self.members, np.bool_)
        for product in crowded:
            if self._excess[product] > 0:  # every mover has a piece to move, so no more movers than pieces are needed
                edges = self._edges(product)
                owners = self.owners[edges][self.held[edges] > 0]
                chosen[owners[movers[owners]][: self._excess[product]]] = True
        room = np.zeros(self.members, np.int64)
        near = sorted(np.flatnonzero(below).tolist(), key=self._excess.__getitem__)
        places = {product: self._owned(product, chosen) for product in (*crowded, *near)}
        for product in near:
            near_edges = places[product]
            room[self.owners[near_edges]] += self.limits[near_edges] - self.held[near_edges]
        wanted = room.copy()
        for product in crowded:
            self._move(product, wanted, -1, self._excess[product], places[product])
        wanted = room - wanted
        missing = int(wanted.sum())
        for product in near if missing else ():
            missing -= self._move(product, wanted, 1, -self._excess[product], places[product])
        for product in near if missing else ():
            self._move(product, wanted, 1, None, places[product])

    def _move(self, product: int, wanted: Whole, sign: int, most: int | None = None, at: Places | None = None) -> int:
        """Put on (1) or take off (-1) a product what its members want, up to `most`; `wanted` goes down by it.

        Gives how many pieces it was.
        """
        if most is not None and most <= 0:
            return 0
        edges: slice | Places = self._edges(product) if at is None else at
        owners, here = self.owners[edges], self.held[edges]
        steps = np.minimum(wanted[owners], self.limits[edges] - here if sign > 0 else here)
        total = int(steps.sum())
        if most is not None and total > most:
            steps = np.minimum(steps, np.maximum(most - (np.cumsum(steps) - steps), 0))
            total = most
        if total == 0:
            return 0
        moved = np.flatnonzero(steps)
        owners, steps, after = owners[moved], steps[moved], here[moved] + sign * steps[moved]
        wanted[owners] -= steps
        places = moved + edges.start if isinstance(edges, slice) else edges[moved]
        self.held[places] = after
        self._excess[product] += sign * total
        word, bit = divmod(product, _WORD)
        gaining, losing = (self._holds, self._takes) if sign > 0 else (self._takes, self._holds)
        gaining[word][owners] |= _BITS[bit]
        spent = after == (self.limits[places] if sign > 0 else 0)
        losing[word][owners[spent]] &= ~_BITS[bit]
        return total

    def _edges(self, product: int) -> slice:
        return slice(self.bounds[product], self.bounds[product + 1])

    def _owned(self, product: int, members: Marks) -> Places:
        edges = self._edges(product)
        found: Places = np.flatnonzero(members[self.owners[edges]]) + edges.start
        return found

    def _any(self, sets: Sequence[Words], products: Marks) -> Marks:
        """Mark the members whose sets hold any of the products."""
        found = np.zeros(self.members, np.bool_)
        for own, word in zip(sets, _packed(products), strict=True):
            found |= (own & word) != 0
        return found

    def _layers(self, ends: Marks) -> Whole:
        """Count the moves from each product to the nearest of `ends`; -1 where no way leads there."""
        layers = np.where(ends, 0, -1)
        current, distance = ends, 0
        while current.any():
            movers = self._any(self._takes, current)
            reached = _unpacked([np.bitwise_or.reduce(own, where=movers) for own in self._holds], len(layers))
            current = reached & (layers < 0)
            distance += 1
            layers[current] = distance
        return layers


def _packed(products: Marks) -> Words:
    padded = np.zeros(-(-len(products) // _WORD) * _WORD, np.uint8)
    padded[: len(products)] = products
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64)


def _unpacked(words: Sequence[np.uint64], many: int) -> Marks:
    packed = np.array(words, "<u8").view(np.uint8)
    return np.unpackbits(packed, bitorder="little")[:many].astype(np.bool_)

"""Moves pieces between the products that members accept until no product carries more than it has, by whole arrays.

Every member holds as many pieces as it should get from the start; only the products' loads are wrong. Products are few,
so the residual graph is kept between products: one leads to another if some member holds pieces of the one and would
take more of the other. Layers of products by their distance from one with room, moving from the far to the near: the
push-relabel method (Goldberg & Tarjan 1988) with the members' side pushed as a whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Places = NDArray[np.intp]
Marks = NDArray[np.bool_]
Words = NDArray[np.uint64]

_WORD = 64


@dataclass(slots=True)
class Loads:
    """Pieces on the edges between members and products; edges lie together by member, every member has one or more.

    `owners` and `products` say for each edge whose it is and of what, `limits` and `held` how many pieces it may and
    does carry; `starts` where each member's edges begin.
    """

    starts: Places
    owners: Places
    products: Places
    limits: Whole
    held: Whole
    units: Whole
    _by_product: Sequence[Places] = ()
    _bits: Sequence[Words] = ()

    def __post_init__(self) -> None:
        many = len(self.units)
        order = np.argsort(self.products.astype(np.int16 if many < 1 << 15 else np.int64), kind="stable")
        ends = np.cumsum(np.bincount(self.products, minlength=many))
        self._by_product = np.split(order, ends[:-1])
        word, bit = np.divmod(self.products, _WORD)
        bits = np.uint64(1) << bit.astype(np.uint64)
        words = -(-many // _WORD)
        self._bits = [bits] if words == 1 else [np.where(word == w, bits, np.uint64(0)) for w in range(words)]

    def excess(self) -> Whole:
        """Give how many pieces each product carries beyond what it has; negative where there is room."""
        loads = np.zeros(len(self.units), np.int64)
        for product, edges in enumerate(self._by_product):
            loads[product] = self.held[edges].sum()
        loads -= self.units
        return loads

    def change(self, steps: Whole) -> None:
        """Give each member so many pieces more or fewer, where they do best; the edges must have room for them."""
        excess = self.excess()
        more, fewer = np.maximum(steps, 0), np.maximum(-steps, 0)
        for product in np.argsort(-excess, kind="stable").tolist():
            if excess[product] > 0:
                self._move(product, fewer, -1, int(excess[product]))
        for product in np.argsort(excess, kind="stable").tolist():
            if excess[product] < 0:
                self._move(product, more, 1, -int(excess[product]))
        for product in range(len(self.units)):
            self._move(product, fewer, -1)
            self._move(product, more, 1)

    def balance(self) -> Marks:
        """Even out the loads as far as possible; marks the products from which no way leads to one with room.

        If none of them carries too much, everything can be supplied; otherwise the marked products are what cannot.
        """
        while True:
            excess = self.excess()
            layers = self._layers(excess < 0)
            furthest = int(layers[excess > 0].max(initial=-1))
            if furthest < 0:
                return layers < 0
            for layer in range(furthest, 0, -1):
                self._push(layer, layers, excess)

    def _push(self, layer: int, layers: Whole, excess: Whole) -> None:
        """Move what the products of a layer carry too much on to the products of the layer below."""
        below = np.flatnonzero(layers == layer - 1)
        room = np.zeros(len(self.starts), np.int64)
        for product in below.tolist():
            edges = self._by_product[product]
            room[self.owners[edges]] += self.limits[edges] - self.held[edges]
        moved = room.copy()
        for product in np.flatnonzero((layers == layer) & (excess > 0)).tolist():
            excess[product] -= self._move(product, moved, -1, int(excess[product]))
        moved = room - moved
        for product in below[np.argsort(excess[below], kind="stable")].tolist():
            if excess[product] < 0:
                excess[product] += self._move(product, moved, 1, -int(excess[product]))
        for product in below.tolist():
            excess[product] += self._move(product, moved, 1)

    def _move(self, product: int, wanted: Whole, sign: int, most: int | None = None) -> int:
        """Put on (1) or take off (-1) a product what its members want, up to `most`; `wanted` goes down by it."""
        edges = self._by_product[product]
        owners = self.owners[edges]
        here = self.held[edges]
        steps = np.minimum(wanted[owners], self.limits[edges] - here if sign > 0 else here)
        total = int(steps.sum())
        if total == 0:
            return 0
        if most is not None and total > most:
            before = np.cumsum(steps) - steps
            steps = np.minimum(steps, np.maximum(most - before, 0))
            total = most
        wanted[owners] -= steps
        self.held[edges] = here + sign * steps
        return total

    def _layers(self, ends: Marks) -> Whole:
        """Count the moves from each product to the nearest of `ends`; -1 where no way leads there."""
        layers = np.where(ends, 0, -1)
        holds = list(self._masks(self.held > 0))
        takes = list(self._masks(self.held < self.limits))
        current, distance = ends, 0
        while current.any():
            movers = np.zeros(len(self.starts), np.bool_)
            for mask, word in zip(takes, _packed(current), strict=True):
                movers |= (mask & word) != 0
            reached = _unpacked([np.bitwise_or.reduce(mask[movers]) for mask in holds], len(layers))
            current = reached & (layers < 0)
            distance += 1
            layers[current] = distance
        return layers

    def _masks(self, edges: Marks) -> Iterator[Words]:
        """Gather each member's marked edges as a set of products, 64 products to a word."""
        for bits in self._bits:
            yield np.bitwise_or.reduceat(bits * edges, self.starts)


def _packed(products: Marks) -> Words:
    padded = np.zeros(-(-len(products) // _WORD) * _WORD, np.uint8)
    padded[: len(products)] = products
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64)


def _unpacked(words: Sequence[np.uint64], many: int) -> Marks:
    packed = np.array(words, "<u8").view(np.uint8)
    return np.unpackbits(packed, bitorder="little")[:many].astype(np.bool_)

"""Which products the pieces are, once everybody's total is known: the canonical picking, for many members.

In the order in which the pieces were handed out, each takes its member's most preferred product that leaves all totals
possible. That is asked of the residual graph between products: a product may be taken if it leads to one that is free,
or to one that the member would give back for it. Sets of products are the bits of whole numbers.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np

from coop.core.leximin_arrays import Columns, Prices, Supplied
from coop.core.loads import Marks, Places, Whole

_WORD = 60


def picks(columns: Columns, prices: Prices, supplied: Supplied) -> tuple[Places, Places]:
    """Give the members in the order of their turns, and the edge on which each took a piece; the members' edges must
    stand in the order of their preference.
    """
    picking = _Picking(columns, supplied)
    members = turns(columns, prices, supplied.totals)
    return members, np.array([picking.take_turn(member) for member in members.tolist()], np.intp)


def turns(columns: Columns, prices: Prices, totals: Whole) -> Places:
    """List whose turn it is, piece by piece: by price, then ticket, then id."""
    members = np.repeat(np.arange(len(totals)), totals)
    pieces = np.arange(1, len(members) + 1) - np.repeat(np.cumsum(totals) - totals, totals)
    return members[np.lexsort((members, columns.tickets[members], prices.levels(members, pieces)))]


class _Picking:
    """Pieces that may still move, and the ways between products that their holders open.

    `leads[product]` has the bits of all products that some holder of it would take instead, and maybe more. Who that is
    is looked for when needed: among the holders not tried yet, and among those who would move again since.
    """

    def __init__(self, columns: Columns, supplied: Supplied) -> None:
        many = len(columns.units)
        self._starts: list[int] = columns.starts.tolist()
        self._products: list[int] = columns.products.tolist()
        self._held: list[int] = supplied.held.tolist()
        self._room: list[int] = (columns.limits - supplied.held).tolist()
        loads = np.zeros(many, np.int64)
        np.add.at(loads, columns.products, supplied.held)
        self._free_pieces: list[int] = (columns.units - loads).tolist()
        self._free = sum(1 << product for product, pieces in enumerate(self._free_pieces) if pieces)
        self._holds = _sets(supplied.held > 0, columns)
        self._takes = _sets(columns.limits > supplied.held, columns)
        owners = np.repeat(np.arange(len(columns.weights)), np.diff(columns.starts))
        order = np.argsort(columns.products, kind="stable")
        order = order[supplied.held[order] > 0]
        ends = np.cumsum(np.bincount(columns.products[order], minlength=many))[:-1]
        self._holders: list[list[int]] = [own.tolist() for own in np.split(owners[order], ends)]
        self._leads = [reduce(or_, {self._takes[member] for member in own}, 0) for own in self._holders]
        self._known = [0] * many
        self._tried: dict[tuple[int, int], int] = {}
        self._again: dict[tuple[int, int], list[int]] = {}

    def take_turn(self, member: int) -> int:
        """Let the member keep one more piece for good, of the best product there is for it; gives its edge."""
        for edge in range(self._starts[member], self._starts[member + 1]):
            product = self._products[edge]
            if self._held[edge]:
                self._held[edge] -= 1
                if not self._held[edge]:
                    self._holds[member] ^= 1 << product
            elif self._room[edge] and self._exchanged(member, product):
                self._room[edge] -= 1
                if not self._room[edge]:
                    self._takes[member] ^= 1 << product
            else:
                continue
            return edge
        raise AssertionError(f"nothing is left for member {member}")

    def _exchanged(self, member: int, product: int) -> bool:
        """Make place for the member on a product in exchange for a piece held; gives whether there is a way."""
        ends = self._free | self._holds[member]
        if ends >> product & 1:
            self._exchange(member, [(-1, product)])
            return True
        for last in _listed(self._leads[product] & ends):  # most ways have one step
            mover = self._mover(product, last)
            if mover >= 0:
                self._exchange(member, [(-1, product), (mover, last)])
                return True
        while not self._known[product] or self._known[product] & ends:
            path = self._path(product, ends)
            if path:
                self._exchange(member, path)
                return True
        return False

    def _exchange(self, member: int, path: Sequence[tuple[int, int]]) -> None:
        last = path[-1][1]
        for (_, before), (mover, after) in pairwise(path):
            self._leave(mover, before)
            self._join(mover, after)
        if self._holds[member] >> last & 1:
            self._leave(member, last)
            return
        back = _lowest(self._holds[member])
        self._leave(member, back)
        self._free_pieces[back] += 1
        self._free |= 1 << back
        self._free_pieces[last] -= 1
        if not self._free_pieces[last]:
            self._free ^= 1 << last

    def _leave(self, member: int, product: int) -> None:
        """Take a piece of a product from a member, who may then take one again."""
        edge = self._edge(member, product)
        self._held[edge] -= 1
        if not self._held[edge]:
            self._holds[member] ^= 1 << product
        self._room[edge] += 1
        if self._room[edge] == 1:
            self._takes[member] |= 1 << product
            for held in _listed(self._holds[member]):
                self._open(held, product, member)

    def _join(self, member: int, product: int) -> None:
        edge = self._edge(member, product)
        self._room[edge] -= 1
        if not self._room[edge]:
            self._takes[member] ^= 1 << product
        self._held[edge] += 1
        if self._held[edge] == 1:
            self._holds[member] |= 1 << product
            self._holders[product].append(member)
            for other in _listed(self._takes[member]):
                self._open(product, other, member)

    def _edge(self, member: int, product: int) -> int:
        return self._products.index(product, self._starts[member], self._starts[member + 1])

    def _open(self, before: int, after: int, mover: int) -> None:
        """Note that a member would now move a piece from one product to another."""
        if (before, after) in self._again:
            self._again[before, after].append(mover)
        if not self._leads[before] >> after & 1:
            self._leads[before] |= 1 << after
            self._known = [0 if known >> before & 1 and not known >> after & 1 else known for known in self._known]

    def _path(self, start: int, ends: int) -> list[tuple[int, int]]:
        """Find a shortest way to one of `ends` as (mover, product) steps, the first without a mover; empty if a step
        turns out to be closed.
        """
        layers, seen = [1 << start], 1 << start
        while not layers[-1] & ends:
            new = reduce(or_, [self._leads[product] for product in _listed(layers[-1])]) & ~seen
            if not new:
                self._known[start] = seen
                return []
            seen |= new
            layers.append(new)
        last = _lowest(layers[-1] & ends)
        path = []
        for layer in layers[-2::-1]:
            before = next(product for product in _listed(layer) if self._leads[product] >> last & 1)
            path.append((self._mover(before, last), last))
            if path[-1][0] < 0:
                return []
            last = before
        return [(-1, start), *path[::-1]]

    def _mover(self, before: int, after: int) -> int:
        """Find a member who would move a piece from one product to another; -1 and the way is closed if nobody would."""
        holds, takes = self._holds, self._takes
        again = self._again.setdefault((before, after), [])
        while again:
            if holds[again[-1]] >> before & takes[again[-1]] >> after & 1:
                return again[-1]
            again.pop()
        holders = self._holders[before]
        for place in range(self._tried.get((before, after), 0), len(holders)):
            member = holders[place]
            if takes[member] >> after & holds[member] >> before & 1:
                self._tried[before, after] = place
                return member
        self._tried[before, after] = len(holders)
        self._leads[before] &= ~(1 << after)
        return -1


def _sets(edges: Marks, columns: Columns) -> list[int]:
    """Gather for each member the products of the marked edges as the bits of a whole number."""
    sets = [0] * len(columns.weights)
    for first in range(0, len(columns.units), _WORD):
        inside = edges & (columns.products >= first) & (columns.products < first + _WORD)
        bits = np.where(inside, np.int64(1) << np.where(inside, columns.products - first, 0), 0)
        sums = np.concatenate([[0], np.cumsum(bits)])  # they may wrap; their differences are exact
        words = (sums[columns.starts[1:]] - sums[columns.starts[:-1]]).tolist()
        sets = words if first == 0 else [own | word << first for own, word in zip(sets, words, strict=True)]
    return sets


def _listed(products: int) -> list[int]:
    """List the bits of a set."""
    found = []
    while products:
        found.append((products & -products).bit_length() - 1)
        products &= products - 1
    return found


def _lowest(products: int) -> int:
    return (products & -products).bit_length() - 1

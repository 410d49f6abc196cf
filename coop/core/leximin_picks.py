"""Which products the pieces are, once everybody's total is known: the canonical picking, for many members.

In the order in which the pieces were handed out, each takes its member's most preferred product that leaves all totals
possible. That is asked of the residual graph between products: a product may be taken if it leads to one that is free,
or to one that the member would give back for it. Sets of products are the bits of whole numbers.
"""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from coop.core.leximin_arrays import Columns, Prices, Supplied
from coop.core.loads import Places, Whole


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
        self._holds = self._sets(self._held)
        self._takes = self._sets(self._room)
        self._leads = [0] * many
        self._holders: list[list[int]] = [[] for _ in range(many)]
        for member, holds in enumerate(self._holds):
            for product in _listed(holds):
                self._leads[product] |= self._takes[member]
                self._holders[product].append(member)
        self._ways = [0] * many
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
        while self._reach(product) & ends:
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
        back = (self._holds[member] & -self._holds[member]).bit_length() - 1
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
            self._ways = [0] * len(self._ways)

    def _reach(self, start: int) -> int:
        """Give the products to which a product leads, itself among them, and maybe more."""
        if not self._ways[start]:
            seen = new = 1 << start
            while new:
                more = 0
                for product in _listed(new):
                    more |= self._leads[product]
                new = more & ~seen
                seen |= new
            self._ways[start] = seen
        return self._ways[start]

    def _path(self, start: int, ends: int) -> list[tuple[int, int]]:
        """Find a shortest way to one of `ends` as (mover, product) steps, the first without a mover; empty if a step
        turns out to be closed.
        """
        before = {start: -1}
        queue, seen, end = deque([start]), 1 << start, start
        while not ends >> end & 1:
            product = queue.popleft()
            new = self._leads[product] & ~seen
            seen |= new
            for other in _listed(new):
                before[other] = product
                queue.append(other)
            end = ((new & ends) & -(new & ends)).bit_length() - 1 if new & ends else product
        path = []
        while before[end] >= 0:
            path.append((self._mover(before[end], end), end))
            end = before[end]
        path.append((-1, start))
        return [] if any(mover < 0 for mover, _ in path[:-1]) else path[::-1]

    def _mover(self, before: int, after: int) -> int:
        """Find a member who would move a piece from one product to another; -1 and the way is closed if nobody would."""
        again = self._again.setdefault((before, after), [])
        while again:
            if self._would_move(again[-1], before, after):
                return again[-1]
            again.pop()
        holders = self._holders[before]
        for place in range(self._tried.get((before, after), 0), len(holders)):
            if self._would_move(holders[place], before, after):
                self._tried[before, after] = place
                return holders[place]
        self._tried[before, after] = len(holders)
        self._leads[before] &= ~(1 << after)
        self._ways = [0] * len(self._ways)
        return -1

    def _would_move(self, member: int, before: int, after: int) -> int:
        return self._holds[member] >> before & self._takes[member] >> after & 1

    def _sets(self, pieces: Sequence[int]) -> list[int]:
        """Gather for each member the products of the edges that have any pieces."""
        sets = [0] * (len(self._starts) - 1)
        for member, (start, stop) in enumerate(pairwise(self._starts)):
            for edge in range(start, stop):
                if pieces[edge]:
                    sets[member] |= 1 << self._products[edge]
        return sets


def _listed(products: int) -> list[int]:
    """List the bits of a set."""
    found = []
    while products:
        found.append((products & -products).bit_length() - 1)
        products &= products - 1
    return found

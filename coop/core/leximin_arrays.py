"""How many pieces each member gets of several products together, by arrays: equal to `leximin.py` to the last digit.

Decomposition (Fujishige 1980, Groenevelt 1991): share out as if the products were one; if they can't supply that, split
along the minimum cut: the members behind it get what its products have and no more, and no one else gets any of these.
Each split parts the products, so there are fewer splits than products. No float takes part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coop.core.claims import MICRO
from coop.core.loads import Loads, Marks, Places, Whole, Words


class Columns(NamedTuple):
    """A network in columns: members in rising order of their ids' bytes, their edges one member after the other.

    `starts` says where each member's edges begin, and in the end where they stop; `tickets` are drawn already.
    """

    weights: Whole
    caps: Whole
    tickets: Words
    starts: Places
    products: Places
    limits: Whole
    units: Whole


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices as whole numbers: those of cea/webster on a grid so fine that a cell holds one price at most, or, with
    `targets`, of the standing.
    """

    weights: Whole
    targets: Whole | None = None
    grid: int = 1

    def pieces_at(self, members: Places | slice, level: int) -> Whole:
        """Count each member's pieces at or under a level."""
        if self.targets is not None:
            return (self.targets[members] + level) // MICRO
        return (2 * level * self.weights[members] + self.grid) // (2 * self.grid)

    def levels(self, members: Places, pieces: Whole) -> Whole:
        """Give the level at which each member's piece is counted first."""
        if self.targets is not None:
            return MICRO * pieces - self.targets[members]
        return -((1 - 2 * pieces) * self.grid // (2 * self.weights[members]))


class Supplied(NamedTuple):
    """Each member's total, and pieces on the edges that supply it."""

    totals: Whole
    held: Whole


@dataclass(slots=True)
class _Part:
    """Members who share out some products among themselves; each has `lows` from elsewhere for sure."""

    members: Places
    edges: Places
    loads: Loads
    lows: Whole
    highs: Whole
    totals: Whole
    bottom: int
    top: int


def webster_prices(weights: Whole) -> Prices:
    return Prices(weights, grid=2 * int(weights.max(initial=1)) ** 2 + 1)


def member_totals(columns: Columns, prices: Prices) -> Supplied:
    """Hand out as much as the products can supply, the cheapest pieces first, ties by ticket."""
    totals = np.zeros(len(columns.weights), np.int64)
    held = np.zeros(len(columns.products), np.int64)
    parts = list(_whole(columns, prices, totals, held))
    while parts:
        part = parts.pop()
        level = _share_out(part, prices, columns.tickets)
        stuck = part.loads.balance()
        if (part.loads.excess() > 0).any():
            parts += _split(part, stuck, level, totals, held)
        else:
            totals[part.members] = part.totals
            held[part.edges] = part.loads.held
    return Supplied(totals, held)


def _whole(columns: Columns, prices: Prices, totals: Whole, held: Whole) -> Iterator[_Part]:
    """Give everybody all they would take, as far as nobody has to share; what is left is to be shared out."""
    owners = np.repeat(np.arange(len(columns.weights)), np.diff(columns.starts))
    limits = np.minimum(columns.limits, columns.units[columns.products])
    highs = np.minimum(_sums(owners, limits, len(columns.weights)), columns.caps)
    useful = (limits > 0) & (highs[owners] > 0)
    edges = np.argsort(columns.products.astype(np.int16 if len(columns.units) < 1 << 15 else np.int64), kind="stable")
    edges = edges[useful[edges]]
    if len(edges) == 0:
        return
    bounds = np.cumsum([0, *np.bincount(columns.products[edges], minlength=len(columns.units)).tolist()]).tolist()
    members, own = _renumbered(owners[edges], len(columns.weights))
    loads = Loads(len(members), bounds, own, limits[edges], np.zeros(len(edges), np.int64), columns.units)
    highs = highs[members]
    bottom = 0 if prices.targets is None else -int(prices.targets[members].max())
    top = int(prices.levels(members, highs).max())
    part = _Part(members, edges, loads, np.zeros(len(members), np.int64), highs, highs, bottom, top)
    loads.change(highs)
    stuck = loads.balance()
    if (loads.excess() > 0).any():
        behind, *rest = _split(part, stuck, top, totals, held)
        yield behind
        for part in rest:
            totals[part.members] = part.totals
            held[part.edges] = part.loads.held
    else:
        totals[members] = highs
        held[edges] = loads.held


def _share_out(part: _Part, prices: Prices, tickets: Words) -> int:
    """Share out a part's pieces as if its products were one, and move loads along; gives the level that all reach."""
    bottom, top = part.bottom, part.top
    places = np.arange(len(part.members))
    members, lows, highs = part.members, part.lows, part.highs
    least = np.clip(prices.pieces_at(members, bottom), lows, highs)
    most = np.clip(prices.pieces_at(members, top), lows, highs)
    awards = least.copy()
    missing = int(part.loads.units.sum()) - int((least - lows).sum())
    while top - bottom > 1:
        between = least < most
        if 2 * np.count_nonzero(between) < len(places):
            places, members = places[between], members[between]
            lows, highs, least, most = lows[between], highs[between], least[between], most[between]
        middle = (bottom + top) // 2
        reached = np.clip(prices.pieces_at(members, middle), lows, highs)
        step = int((reached - least).sum())
        if step <= missing:
            bottom, least, missing = middle, reached, missing - step
            awards[places] = reached
        else:
            top, most = middle, reached
    level = places[least < most]
    awards[_first_by_ticket(level, missing, tickets[part.members[level]])] += 1
    steps, part.totals = awards - part.totals, awards
    part.loads.change(steps)
    return bottom


def _split(part: _Part, stuck: Marks, level: int, totals: Whole, held: Whole) -> list[_Part]:
    """Part members and products along the cut: first those who share the stuck products, then the others, if any.

    What the first hold of the other products they keep; of the stuck products the others hold nothing.
    """
    loads = part.loads
    held[part.edges] = loads.held
    totals[part.members] = part.totals
    products = np.repeat(np.arange(len(stuck)), np.diff(loads.bounds))
    on_stuck = stuck[products]
    is_behind = np.zeros(len(part.members), np.bool_)
    is_behind[loads.owners[on_stuck & (loads.held > 0)]] = True
    behind = is_behind[loads.owners]
    kept = np.flatnonzero(behind & ~on_stuck)
    lows = part.lows + _sums(loads.owners[kept], loads.held[kept], len(part.members))
    units = loads.units - _sums(products[kept], loads.held[kept], len(stuck))
    others = np.flatnonzero(~behind & ~on_stuck)
    room = part.lows + _sums(loads.owners[others], loads.limits[others], len(part.members))
    own = np.flatnonzero(behind & on_stuck)
    parts = [_narrowed(part, own, products, stuck, lows, part.highs, units, part.bottom, level + 1)]
    if len(others):
        highs = np.minimum(part.highs, room)
        parts.append(_narrowed(part, others, products, ~stuck, part.lows, highs, units, level, part.top))
    return parts


def _narrowed(
    part: _Part,
    edges: Places,
    products: Places,
    chosen: Marks,
    lows: Whole,
    highs: Whole,
    units: Whole,
    bottom: int,
    top: int,
) -> _Part:
    """Give the part of a part that has only some of its edges and the chosen products."""
    loads = part.loads
    places, owners = _renumbered(loads.owners[edges], len(part.members))
    counts = np.bincount(products[edges], minlength=len(chosen))[chosen]
    bounds = np.cumsum([0, *counts.tolist()]).tolist()
    narrowed = Loads(len(places), bounds, owners, loads.limits[edges], loads.held[edges], units[chosen])
    members = part.members[places]
    return _Part(members, part.edges[edges], narrowed, lows[places], highs[places], part.totals[places], bottom, top)


def _renumbered(owners: Places, many: int) -> tuple[Places, Places]:
    """Give, for some edges out of `many` members, whose they are, and each edge's place among these."""
    met = np.zeros(many, np.bool_)
    met[owners] = True
    return np.flatnonzero(met), (np.cumsum(met) - 1)[owners]


def _sums(places: Places, values: Whole, many: int) -> Whole:
    sums = np.zeros(many, np.int64)
    np.add.at(sums, places, values)
    return sums


def _first_by_ticket(places: Places, many: int, drawn: Words) -> Places:
    """Choose the `many` of `places` (rising) with the lowest tickets, equal tickets by place."""
    if many in {0, len(places)}:
        return places[:many]
    mark = np.partition(drawn, many - 1)[many - 1]
    below = places[drawn < mark]
    return np.concatenate([below, places[drawn == mark][: many - len(below)]])

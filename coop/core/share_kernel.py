"""Exact divisible awards by arrays, over one denominator, and the roundings that need them: largest remainder and wheel.

Callers see to 0 < `units` < the sum of the limits. Where numerators leave 64 bits, arrays of Python's own whole numbers
go on by the same lines.
"""

from dataclasses import dataclass
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coop.core.kinds import SAFE, Kinds, refuse_beyond, settled
from coop.core.ticket_arrays import Whole, Words, in_ticket_order


@dataclass(frozen=True, slots=True)
class Shares:
    """What each kind is due: `whole` pieces and `parts` / `over` of one."""

    whole: Whole
    parts: NDArray[Any]
    over: int

    def halved(self) -> "Shares":
        return Shares(self.whole // 2, self.parts + self.whole % 2 * self.over, 2 * self.over)

    def off(self, limits: Whole) -> "Shares":
        """Take it off the limits: what is left of each after its loss."""
        some = (self.parts > 0).astype(np.int64)
        return Shares(limits - self.whole - some, (self.over - self.parts) * some, self.over)


def shares_of(path: str, kinds: Kinds, units: int) -> Shares:
    """Divide the batch along a path, exactly; raises OverflowError where limits or weights are too long for arrays."""
    demand = kinds.total(kinds.limits)
    if path == "cel":
        return losses(kinds, demand - units).off(kinds.limits)
    if path != "talmud":
        return level_shares(kinds, units)
    if 2 * units <= demand:
        return level_shares(kinds, 2 * units).halved()
    return losses(kinds, 2 * (demand - units)).halved().off(kinds.limits)


def level_of(kinds: Kinds, units: int) -> tuple[NDArray[np.bool_], int, int]:
    """Find which kinds are not full at the level that hands out all, and the pieces and share points left for them.

    From below: whoever is full at the level so far is closed, until nobody is.
    """
    is_open = (kinds.counts > 0) & (kinds.limits > 0)
    left, weight_left = units, int(kinds.counts[is_open] @ kinds.weights[is_open])
    refuse_beyond(int(kinds.limits.max()) * weight_left, units * int(kinds.weights.max()))
    while True:
        full = is_open & (kinds.limits * weight_left <= left * kinds.weights)
        if not full.any():
            return is_open, left, weight_left
        left -= int(kinds.counts[full] @ kinds.limits[full])
        weight_left -= int(kinds.counts[full] @ kinds.weights[full])
        is_open &= ~full


def level_shares(kinds: Kinds, units: int) -> Shares:
    """Give min(limit, level x weight) to each."""
    is_open, left, weight_left = level_of(kinds, units)
    whole, parts = kinds.limits.copy(), np.zeros(len(kinds.limits), np.int64)
    if is_open.any():
        whole[is_open], parts[is_open] = np.divmod(left * kinds.weights[is_open], weight_left)
    return Shares(whole, parts, max(weight_left, 1))


def losses(kinds: Kinds, units: int) -> Shares:
    """Take min(limit, loss / weight) from each, so that `units` are lost in all.

    The loss is searched between whole numbers, for that is where claims have lost everything: at limit x weight.
    """
    active = np.flatnonzero((kinds.counts > 0) & (kinds.limits > 0))
    limits, counts = kinds.limits[active], kinds.counts[active]
    refuse_beyond(int(limits.max()) * int(kinds.weights.max()))
    unlike, weight_of = np.unique(kinds.weights[active], return_inverse=True)
    scale = lcm(*unlike.tolist())
    rates = [scale // weight for weight in unlike.tolist()]
    ends = limits * kinds.weights[active]

    def at(mark: int) -> tuple[int, int]:
        """Count what is lost by then by those who lost all, and how fast the others lose, times the scale."""
        losing = ends > mark
        many = np.zeros(len(unlike), np.int64)
        np.add.at(many, weight_of[losing], counts[losing])
        return int(counts[~losing] @ limits[~losing]), sum(map(int.__mul__, many.tolist(), rates))

    low, high = 0, int(ends.max())
    while high - low > 1:
        middle = (low + high) // 2
        lost, rate = at(middle)
        if lost * scale + middle * rate <= units * scale:
            low = middle
        else:
            high = middle
    lost, rate = at(low)
    each = [divmod((units - lost) * own, rate) for own in rates]
    kind = np.int64 if 2 * rate < SAFE else np.object_
    parts: NDArray[Any] = np.zeros(len(kinds.limits), kind)
    whole = kinds.limits.copy()
    losing = ends > low
    whole[active[losing]] = np.array([pieces for pieces, _ in each], np.int64)[weight_of[losing]]
    parts[active[losing]] = np.array([part for _, part in each], kind)[weight_of[losing]]
    return Shares(whole, parts, rate)


def largest_remainder(kinds: Kinds, shares: Shares, units: int, key: bytes, numbers: Words) -> Whole:
    """Round every share down, then give one piece more to the largest fractional parts, ties by ticket."""
    missing = units - kinds.total(shares.whole)
    sure, level = shares.whole, np.zeros(len(shares.whole), np.bool_)
    if missing:
        order = np.argsort(shares.parts, kind="stable")[::-1]
        reached = np.searchsorted(np.cumsum(kinds.counts[order]), missing)
        mark = shares.parts[order[reached]]
        above = (shares.parts > mark).astype(np.int64)
        level = (shares.parts == mark).astype(np.bool_)
        sure = sure + above
        missing -= kinds.total(above)
    return settled(kinds, sure, level, missing, key, numbers)


def wheel(kinds: Kinds, shares: Shares, drawn: int, key: bytes, numbers: Words) -> Whole:
    """Lay the shares end to end in ticket order and count the whole marks, shifted by `drawn` / 2^64, inside each.

    Only fractional parts move a mark; the offset may be cut to the shares' own denominator, as whole marks are counted.
    """
    order = in_ticket_order(key, numbers)
    kind = np.int64 if (len(numbers) + 1) * shares.over < SAFE else np.object_
    passed = np.cumsum(kinds.spread(shares.parts)[order].astype(kind))
    marks = (passed + (drawn * shares.over >> 64)) // shares.over
    awards = np.array(kinds.spread(shares.whole), np.int64)
    awards[order] += np.diff(marks, prepend=0).astype(np.int64)
    return awards

"""The rules that go by order or by lots, as array kernels. Claims stand in rising order of their ids' bytes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import Row
from coop.core.kinds import refuse_beyond
from coop.core.ticket_arrays import Places, Whole, Words, best_share_tickets, tickets


def lottery(weights: Whole, limits: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Serve claims by the best of one ticket per share point, each up to its limit."""
    refuse_beyond(int(limits.max()) * len(limits), int(weights.max()) * len(weights))
    order = np.argsort(best_share_tickets(key, numbers, weights), kind="stable")
    awards = np.empty(len(limits), np.int64)
    awards[order] = _served(limits[order], units)
    return awards


def priority(
    tiers: Whole, rows: Sequence[Sequence[Row]], units: int, key: bytes, numbers: Words, *, by_tolerance: bool
) -> Whole:
    """Serve the quantities, or the tolerances, of dated rows by tier, time and ticket; rows of a claim in their order."""
    claim_of = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
    flat = [row for own in rows for row in own]
    times = np.array([row.time for row in flat], np.int64)
    asked = np.array([row.tolerance if by_tolerance else row.quantity for row in flat], np.int64)
    refuse_beyond(int(asked.max()) * len(asked))
    order = np.lexsort((tickets(key, numbers)[claim_of], times, tiers[claim_of]))
    awards = np.zeros(len(rows), np.int64)
    np.add.at(awards, claim_of[order], _served(asked[order], units))
    return awards


class _Lots:
    """Claims as rows of lots: the first is the minimum rounded up to packs, every further one a pack.

    Prices lie on a grid so fine that a cell holds one distinct price at most.
    """

    def __init__(self, weights: Whole, limits: Whole, packs: Whole, minimums: Whole) -> None:
        self.weights, self.limits, self.packs = weights, limits, packs
        self.first = -(-np.maximum(minimums, 1) // packs) * packs
        heaviest, longest = int(weights.max()), int(limits.max())
        self.bits = (2 * heaviest * heaviest).bit_length()
        self.last = (2 * longest + 1) << self.bits
        largest = max(int(packs.max()), int(minimums.max()), longest) * 4
        refuse_beyond(heaviest * self.last * 2, largest << self.bits, longest * len(limits))

    def given_at(self, cell: int) -> Whole:
        """Count the pieces of each claim's lots up to a price, as if all fitted."""
        reached = 2 * self.weights * cell >> self.bits  # twice the pieces whose middle is passed
        more = np.maximum((reached - 2 * self.first + self.packs) // (2 * self.packs), 0)
        room = np.maximum((self.limits - self.first) // self.packs, 0)
        begun = (self.first <= reached) & (self.first <= self.limits)
        given: Whole = np.where(begun, self.first + self.packs * np.minimum(more, room), 0)
        return given

    def next_size(self, given: Whole) -> Whole:
        """Give the size of each claim's next lot, 0 where there is none."""
        size = np.where(given == 0, self.first, self.packs)
        wanted: Whole = np.where(given + size <= self.limits, size, 0)
        return wanted


def lots(weights: Whole, limits: Whole, packs: Whole, minimums: Whole, units: int, key: bytes, numbers: Words) -> Whole:
    """Hand out whole lots, cheapest first; a lot that no longer fits closes its claim.

    All lots up to a price are given at once while they fit together; then the one price at which they cease to is
    gone through by ticket, and every claim whose next lot is too large is closed, which leaves smaller lots only.
    """
    rows = _Lots(weights, limits, packs, minimums)
    order = tickets(key, numbers)
    awards = np.zeros(len(limits), np.int64)
    is_open = rows.next_size(awards) > 0
    low, left = -1, units
    while is_open.any():
        high = rows.last
        before = low
        spent = int(awards[is_open].sum())
        while high - low > 1:
            middle = (low + high) // 2
            if int(rows.given_at(middle)[is_open].sum()) - spent <= left:
                low = middle
            else:
                high = middle
        if low > before:
            given = rows.given_at(low)
            left -= int(given[is_open].sum()) - spent
            awards[is_open] = given[is_open]
        level = np.flatnonzero(is_open & (rows.given_at(high) > awards))
        level = level[np.argsort(order[level], kind="stable")]
        left = _fit(awards, level, rows.next_size(awards)[level], left)
        is_open[level] &= awards[level] == rows.given_at(high)[level]
        size = rows.next_size(awards)
        is_open &= (size > 0) & (size <= left)
        low = high
    return awards


def _fit(awards: Whole, level: Places, sizes: Whole, left: int) -> int:
    """Give the lots of one price in their order, each that still fits; return the pieces left."""
    while len(level):
        taken = int(np.searchsorted(np.cumsum(sizes), left, "right"))
        awards[level[:taken]] += sizes[:taken]
        left -= int(sizes[:taken].sum())
        fitting: NDArray[np.bool_] = sizes[taken:] <= left
        level, sizes = level[taken:][fitting], sizes[taken:][fitting]
    return left


def _served(asked: Whole, units: int) -> Whole:
    before = np.cumsum(asked) - asked
    served: Whole = np.clip(units - before, 0, asked)
    return served

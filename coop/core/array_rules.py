"""Shares out one pass of a batch by any rule's id with arrays; raises OverflowError where whole numbers leave 64 bits."""

from collections.abc import Sequence

import numpy as np

from coop.core import order_kernel
from coop.core.claims import BatchInput, parts_of
from coop.core.kinds import Kinds, kinds_of, refuse_beyond
from coop.core.price_kernel import PIECES
from coop.core.rule_book import rows_of
from coop.core.share_kernel import largest_remainder, shares_of, wheel
from coop.core.ticket_arrays import Whole, Words
from coop.core.tickets import tie_key, wheel_offset


def pass_by_arrays(
    batch: BatchInput, limits: Sequence[int], units: int, seed: bytes, numbers: Words, *, on_top: bool
) -> list[int]:
    """Hand out `units` up to the limits: the wishes, or what is taken on top of them."""
    path, rounding = parts_of(batch.rule)
    key = tie_key(seed, batch.id)
    columns = np.array(batch.weights, np.int64), np.array(limits, np.int64)
    if path == "lots":
        awards = _lots(batch, columns, units, key, numbers)
    elif path == "priority":
        tiers = np.array(batch.tiers or [0] * len(limits), np.int64)
        awards = order_kernel.priority(tiers, rows_of(batch), units, key, numbers, by_tolerance=on_top)
    elif path == "lottery":
        awards = order_kernel.lottery(*columns, units, key, numbers)
    else:
        kinds = kinds_along(path, *columns)
        refuse_beyond(units * 4, int(kinds.weights.max()) * len(kinds.weights), int(kinds.counts @ kinds.limits) * 4)
        if on_top or rounding not in {"largest_remainder", "wheel"}:
            awards = PIECES[path](kinds, units, "webster" if on_top else rounding, key, numbers)
        elif rounding == "wheel":
            drawn = int(wheel_offset(seed, batch.id) * 2**64)
            awards = wheel(kinds, shares_of(path, kinds, units), drawn, key, numbers)
        else:
            awards = largest_remainder(kinds, shares_of(path, kinds, units), units, key, numbers)
    given: list[int] = awards.tolist()
    return given


def kinds_along(path: str, weights: Whole, limits: Whole) -> Kinds:
    """Count the claims by kind; in proportion to the wishes is level filling whose share points are the wishes."""
    heaviest, longest = int(weights.max()), int(limits.max())
    refuse_beyond(heaviest * longest * len(weights), (heaviest + 1) * (longest + 1))
    if path == "proportional":
        kinds = kinds_of(np.ones(len(limits), np.int64), limits)
        return kinds.with_weights(kinds.limits)
    kinds = kinds_of(weights, limits)
    return kinds.with_weights(kinds.weights * kinds.limits) if path == "weighted_proportional" else kinds


def _lots(batch: BatchInput, columns: tuple[Whole, Whole], units: int, key: bytes, numbers: Words) -> Whole:
    many = len(batch.ids)
    packs = np.array(batch.packs or [1] * many, np.int64)
    return order_kernel.lots(*columns, packs, np.array(batch.minimums or [0] * many, np.int64), units, key, numbers)

"""Shares out one batch by any rule's id, as an exact reference: the wishes first, then what members would take on top."""

from collections.abc import Sequence

from coop.core.claims import BatchInput, Row, parts_of
from coop.core.order_rules import in_order, lots, lottery_order, priority
from coop.core.rules import Path, Rank, rounded
from coop.core.tickets import tie_key, wheel_offset


def wishes_by_reference(batch: BatchInput, ranks: Sequence[Rank], seed: bytes) -> list[int]:
    """Hand out the batch to the wishes; only `lots` may leave pieces while wishes are open."""
    path, rounding = parts_of(batch.rule)
    if path == "priority":
        return priority(batch.tiers, rows_of(batch), batch.units, ranks, by_tolerance=False)
    return _one_pass(batch, path, rounding, batch.requests, batch.units, ranks, seed)


def extras_by_reference(batch: BatchInput, left: int, ranks: Sequence[Rank], seed: bytes) -> list[int]:
    """Hand out what the wishes left, along the same path, to those who would take more."""
    path, rounding = parts_of(batch.rule)
    if path == "priority":
        return priority(batch.tiers, rows_of(batch), left, ranks, by_tolerance=True)
    return _one_pass(batch, path, rounding and "webster", batch.tolerances, left, ranks, seed)


def path_of(name: str, weights: Sequence[int], limits: Sequence[int]) -> Path:
    """Lay out a divisible path; in proportion to the wishes is level filling whose share points are the wishes."""
    if name == "proportional":
        return Path(name, limits, limits)
    if name == "weighted_proportional":
        return Path("proportional", [weight * limit for weight, limit in zip(weights, limits, strict=True)], limits)
    return Path(name, weights, limits)


def rows_of(batch: BatchInput) -> Sequence[Sequence[Row]]:
    """Give the dated rows of each claim: those it names, or its wish as one row."""
    if batch.rows:
        return batch.rows
    many = len(batch.ids)
    dated = zip(batch.times or [0] * many, batch.requests, batch.tolerances or [0] * many, strict=True)
    return [(Row(time, request, tolerance),) for time, request, tolerance in dated]


def _one_pass(
    batch: BatchInput,
    path: str,
    rounding: str,
    limits: Sequence[int],
    units: int,
    ranks: Sequence[Rank],
    seed: bytes,
) -> list[int]:
    if path == "lots":
        return lots(batch.weights, limits, batch.packs, batch.minimums, units, ranks)
    if units >= sum(limits):
        return list(limits)
    if path == "lottery":
        return in_order(limits, units, lottery_order(batch.ids, batch.weights, tie_key(seed, batch.id)))
    offset = wheel_offset(seed, batch.id)
    return rounded(path_of(path, batch.weights, limits), units, rounding, ranks, offset)

"""One batch of a shared pool worked out anew by the worker's engine, with its place in the record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from coop.core.claims import Standing
from coop.core.correction import corrected
from coop.core.correction_record import Correction
from coop.core.pool_run import PoolProblem, SharedPool
from coop.core.sharing import share_out_batch


@dataclass(frozen=True, slots=True)
class BatchVersion:
    """What a correction changes: the pieces made; `floors` are the pieces handed over, by order line (0 if missing)."""

    offering_id: int
    number: int
    units: int
    floors: Mapping[int, int]


def correct(
    problem: PoolProblem, shared: SharedPool, version: BatchVersion, corrects: str, chain_start: str
) -> Correction:
    """Share out one batch of a pool anew, from the balances that it opened with. Raises `below_delivered`."""
    place = next(n for n, one in enumerate(problem.batches) if one.offering_id == version.offering_id)
    claimed, first = problem.batches[place], shared.outcomes[place]
    batch = replace(claimed.batch, units=version.units, version=version.number)
    floors = [version.floors.get(line, 0) for line in claimed.line_ids]
    standing = Standing(
        dict(zip(batch.ids, first.opening, strict=False)), dict(zip(batch.ids, first.entitled, strict=False))
    )
    outcome = corrected(batch, floors, standing, problem.terms, shared.head.seed, share_out_batch)
    return Correction(shared.head, chain_start, corrects, batch, floors, outcome)

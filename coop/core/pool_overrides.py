"""The batches of a shared pool whose awards were changed by hand, worked out by the worker's engine, with their links."""

from collections.abc import Sequence
from typing import Protocol

from coop.core.override_record import Change, OverriddenBatch, digest_of_reason, overridden
from coop.core.pool_run import PoolProblem, SharedPool
from coop.core.sharing import share_out_batch


class Overridden(Protocol):
    """An approved change by hand, as it is kept."""

    offering_id: int
    line_id: int
    computed: int
    pieces: int
    reason: str


def changed_by_hand(
    overrides: Sequence[Overridden], problem: PoolProblem, shared: SharedPool
) -> dict[int, OverriddenBatch]:
    """Give the batches whose awards were changed by hand, by offering, in the order of their links."""
    made: dict[int, OverriddenBatch] = {}
    link, terms, seed = shared.result_digest, problem.terms, shared.head.seed
    for claimed, computed in zip(problem.batches, shared.outcomes, strict=True):
        named = dict(zip(claimed.line_ids, claimed.batch.ids, strict=True))
        changes = {
            named[one.line_id]: Change(one.computed, one.pieces, digest_of_reason(one.reason))
            for one in overrides
            if one.offering_id == claimed.offering_id
        }
        if changes:
            given = {claim: change.given for claim, change in changes.items()}
            outcome = overridden(claimed.batch, computed, given, terms, seed, share_out_batch)
            own = made[claimed.offering_id] = OverriddenBatch(terms, seed, link, claimed.batch, changes, outcome)
            link = own.link
    return made

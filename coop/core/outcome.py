"""An outcome looked at before anybody asks for it: the same pool with other yields or another rule, and what each batch came to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from coop.core.claims import STANDING_RULE, Standing, Terms
from coop.core.pool_run import PoolProblem, SharedPool, wishes_of


class BatchNumbers(NamedTuple):
    """What a batch came to, in pieces: `short` of the wishes, `extra` shared out beyond them, `shelf` left over."""

    made: int
    wanted: int
    awarded: int
    extra: int

    @property
    def short(self) -> int:
        return self.wanted - (self.awarded - self.extra)

    @property
    def shelf(self) -> int:
        return self.made - self.awarded


class Served(NamedTuple):
    """How many members wished for anything, and how many of them got every piece they wished for."""

    members: int
    fully: int


def with_yields(problem: PoolProblem, units: Mapping[int, int]) -> PoolProblem:
    """Give the same problem with these pieces by offering; an offering without any counts as nothing made."""
    batches = [
        replace(claimed, batch=replace(claimed.batch, units=units.get(claimed.offering_id, 0)))
        for claimed in problem.batches
    ]
    return replace(problem, batches=batches)


def under_rule(problem: PoolProblem, rule: str) -> PoolProblem:
    """Give the same problem as if the season had said this rule; a batch with a rule of its own keeps it, and so do those that
    choices link, which no other rule can share out.
    """
    linked = {place for choice in problem.choices for place in choice.places}
    batches = [
        replace(claimed, batch=replace(claimed.batch, rule=rule))
        if claimed.batch.rule == problem.rule and place not in linked
        else claimed
        for place, claimed in enumerate(problem.batches)
    ]
    if rule != STANDING_RULE:
        return replace(problem, rule=rule, terms=Terms(None), batches=batches, standing=Standing())
    return replace(problem, rule=rule, terms=Terms(problem.terms.memory or "rounding"), batches=batches)


def batch_numbers(problem: PoolProblem, shared: SharedPool) -> dict[int, BatchNumbers]:
    """Return what each batch came to, by offering."""
    numbers = {}
    for claimed, outcome, wishes in zip(problem.batches, shared.outcomes, wishes_of(problem, shared), strict=True):
        batch = claimed.batch
        extra = sum(max(0, award - wish) for award, wish in zip(outcome.awards, batch.requests, strict=True))
        numbers[claimed.offering_id] = BatchNumbers(batch.units, sum(wishes), sum(outcome.awards), extra)
    return numbers

"""One pool under several rules: the same claims, yields, standing and draws, so that only the rule differs."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import STANDING_RULE, WEBSTER_RULE, Outcome
from coop.core.fairness import jain, lowest_fill
from coop.core.outcome import under_rule
from coop.core.pool_run import PoolProblem, SharedPool, outcomes_of, wishes_of

Whole = NDArray[np.int64]

USUAL: Final = (STANDING_RULE, "proportional/largest_remainder@1", "priority@1", WEBSTER_RULE)
"""What people ask after first: the level, each by wishes, first come, and the level without memory."""

STEPS: Final = 10
"""A histogram of fill rates has a class for each tenth from 0 on, and one for what is filled whole."""


@dataclass(frozen=True, slots=True)
class MemberFills:
    """What each household wished for in a pool, and received of it; by household in rising order."""

    households: Whole
    wished: Whole
    received: Whole


@dataclass(frozen=True, slots=True)
class UnderRule:
    """What a rule makes of a pool. `lowest` is the least part of a wish that a line got of a batch that was made at all, for
    no rule shares out what is not there; `jain` is over members.

    `histogram` counts members by tenths of their wish: 0 to 9 %, ..., 90 to 99 %, and all of it.
    `more` and `fewer` members would get more or fewer pieces than by the rule in force, `moved` pieces in all.
    """

    rule: str
    in_force: bool
    pieces: int
    members: int
    fully_served: int
    lowest: Fraction
    jain: Fraction
    histogram: tuple[int, ...]
    more: int
    fewer: int
    moved: int
    fills: MemberFills


class Change(NamedTuple):
    """A household that would fare otherwise, and how many pieces of its wishes it would receive."""

    household_id: int
    wished: int
    received: int
    otherwise: int


class _Columns(NamedTuple):
    names: Whole
    places: Whole
    wishes: Whole
    made: NDArray[np.bool_]


def compare(problem: PoolProblem, shared: SharedPool, rules: Iterable[str]) -> list[UnderRule]:
    """Measure the rule in force, which gave `shared`, and each other of `rules` beside it, in their order."""
    columns = _columns(problem, shared)
    in_force = _measured(problem.rule, columns, shared.outcomes, None)
    others = [
        _measured(rule, columns, outcomes_of(under_rule(problem, rule), shared.head.seed), in_force.fills)
        for rule in rules
        if rule != problem.rule
    ]
    return [in_force, *others]


def changes(in_force: MemberFills, other: MemberFills) -> list[Change]:
    """Return the households that another rule would serve otherwise, those with most pieces to lose or win first."""
    moved = np.flatnonzero(in_force.received != other.received)
    columns = (in_force.households, in_force.wished, in_force.received, other.received)
    rows = [Change(*row) for row in zip(*(column[moved].tolist() for column in columns), strict=True)]
    return sorted(rows, key=lambda row: (-abs(row.otherwise - row.received), row.household_id))


def _columns(problem: PoolProblem, shared: SharedPool) -> _Columns:
    households = np.fromiter((each for claimed in problem.batches for each in claimed.household_ids), np.int64)
    wishes = np.fromiter((each for own in wishes_of(problem, shared) for each in own), np.int64)
    made = np.fromiter((bool(one.batch.units) for one in problem.batches for _ in one.household_ids), np.bool_)
    names, places = np.unique(households, return_inverse=True)
    return _Columns(names, places, wishes, made)


def _measured(rule: str, columns: _Columns, outcomes: Iterable[Outcome], in_force: MemberFills | None) -> UnderRule:
    names, places, wishes, made = columns
    pieces = np.fromiter((award for outcome in outcomes for award in outcome.awards), np.int64)
    served = np.minimum(pieces, wishes)
    wished, received = _summed(len(names), places, wishes), _summed(len(names), places, served)
    asked = wished > 0
    turned = received - (received if in_force is None else in_force.received)
    short = (served < wishes) & made
    return UnderRule(
        rule=rule,
        in_force=in_force is None,
        pieces=int(pieces.sum()),
        members=int(asked.sum()),
        fully_served=int((asked & (received == wished)).sum()),
        lowest=lowest_fill(zip(served[short].tolist(), wishes[short].tolist(), strict=True)),
        jain=jain(dict(enumerate(zip(received.tolist(), wished.tolist(), strict=True)))),
        histogram=histogram(wished[asked], received[asked]),
        more=int((turned > 0).sum()),
        fewer=int((turned < 0).sum()),
        moved=int(turned[turned > 0].sum()),
        fills=MemberFills(names, wished, received),
    )


def histogram(wished: Whole, received: Whole) -> tuple[int, ...]:
    """Count members by tenths of what they wished for; `received` is never more."""
    tenths = STEPS * received // wished
    return tuple(np.bincount(tenths, minlength=STEPS + 1).tolist())


def _summed(many: int, places: Whole, values: Whole) -> Whole:
    sums = np.zeros(many, np.int64)
    np.add.at(sums, places, values)
    return sums

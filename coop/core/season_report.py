"""How fairly a season was shared out: what really came of it, and what other rules would have made of the same wishes and yields."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from coop.core.claims import STANDING_RULE, Outcome
from coop.core.comparison import histogram
from coop.core.season_comparison import SeasonPool, SeasonUnderRule, Tally, measured, shared_under

FEWEST_MEMBERS = 5
"""With fewer who wished for anything, the members' version would tell of single households."""

NAMED = 10
LENGTHS = 3


class MemberFill(NamedTuple):
    """What a member, told by place, wished for and received, and the longest row of short batches that brought nothing."""

    place: int
    wished: int
    received: int
    longest: int


@dataclass(frozen=True, slots=True)
class AsItWas:
    """What a season really came to: by the ruler of all rules, by tenths of the wishes, and who fared worst.

    `lowest` has those with the least part of their wishes, `unserved` those with the longest rows of nothing, `rows` the
    longest rows with how many members had them.
    """

    under: SeasonUnderRule
    histogram: tuple[int, ...]
    lowest: tuple[MemberFill, ...]
    unserved: tuple[MemberFill, ...]
    rows: tuple[tuple[int, int], ...]


def report(
    pools: Sequence[SeasonPool],
    awards: Sequence[Sequence[Sequence[int]]],
    members: int,
    in_force: str,
    others: Sequence[str],
) -> Iterator[AsItWas | SeasonUnderRule]:
    """Measure a season as it was awarded (`awards` by pool, batch and claim), then replayed under each other rule.

    Short of what, the level says: the entitlement of `cea`, batch by batch, is the same ruler for all.
    """
    entitled = [0] * members
    by_standing = shared_under(pools, members, STANDING_RULE, entitled)
    yield _as_it_was(pools, awards, members, in_force, entitled)
    for rule in others:
        tally = by_standing if rule == STANDING_RULE else shared_under(pools, members, rule)
        yield measured(rule, tally, entitled)


def _as_it_was(
    pools: Sequence[SeasonPool],
    awards: Sequence[Sequence[Sequence[int]]],
    members: int,
    in_force: str,
    entitled: Sequence[int],
) -> AsItWas:
    tally = Tally(members)
    for pool, given in zip(pools, awards, strict=True):
        for batch, claimants, own in zip(pool.batches, pool.members, given, strict=True):
            tally.add(batch, claimants, Outcome(own))
    filled = [
        MemberFill(place, wished, tally.received[place], tally.longest[place])
        for place, wished in enumerate(tally.wished)
        if wished
    ]
    lowest = sorted(filled, key=lambda one: (Fraction(one.received, one.wished), -one.wished, one.place))
    unserved = sorted((one for one in filled if one.longest), key=lambda one: (-one.longest, one.place))
    wished, received = (np.array([one[part] for one in filled], np.int64) for part in (1, 2))
    return AsItWas(
        under=measured(in_force, tally, entitled),
        histogram=histogram(wished, received),
        lowest=tuple(one for one in lowest[:NAMED] if one.received < one.wished),
        unserved=tuple(unserved[:NAMED]),
        rows=tuple(sorted(Counter(one.longest for one in unserved).items(), reverse=True)[:LENGTHS]),
    )

"""A whole season under one rule after another: the same wishes, yields and draws, pool after pool.

Every rule is measured by the same ruler, too: what each member received of the wishes, and how far that is from what
level filling entitles them to, batch by batch (`cea`, the award that needs no memory).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import MICRO, STANDING_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.fairness import jain
from coop.core.sharing import share_out_pool

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SeasonPool:
    """The batches of a pool in the order in which they are applied, with the places of their claimants, and its seed."""

    batches: Sequence[BatchInput]
    members: Sequence[Sequence[int]]
    seed: bytes


@dataclass(frozen=True, slots=True)
class SeasonUnderRule:
    """What a rule made of a season; pieces beyond a wish are left out.

    `jain` is over received / wished, by member; `lowest`, `tenth` and `median` are fill rates: of the member served
    worst, of the one that a tenth of the members fare worse than, of the one in the middle. `most_short` and
    `hundredth_short` are micro-units that a member received fewer than entitled to: the most, and what all but a
    hundredth stay within. `longest_misses` is the longest row of short batches in which a member wished and got nothing.
    """

    rule: str
    received: int
    wished: int
    fully_served: int
    members: int
    jain: Fraction
    lowest: Fraction
    tenth: Fraction
    median: Fraction
    most_short: int
    hundredth_short: int
    longest_misses: int


class Tally:
    """What each member wished for and received over a season; `longest` is each one's longest row of misses."""

    def __init__(self, members: int) -> None:
        self.wished = [0] * members
        self.received = [0] * members
        self.misses = [0] * members
        self.longest = [0] * members

    def add(self, batch: BatchInput, members: Sequence[int], outcome: Outcome) -> None:
        is_short = batch.units < sum(batch.requests)
        for member, wish, award in zip(members, batch.requests, outcome.awards, strict=True):
            self.wished[member] += wish
            self.received[member] += min(award, wish)
            if award:
                self.misses[member] = 0
            elif is_short and wish:
                self.misses[member] += 1
                self.longest[member] = max(self.longest[member], self.misses[member])


def compare_season(pools: Sequence[SeasonPool], members: int, rules: Sequence[str]) -> Iterator[SeasonUnderRule]:
    """Measure a season under each rule, in their order; `members` is how many places there are."""
    entitled = [0] * members
    standing = shared_under(pools, members, STANDING_RULE, entitled)
    for rule in rules:
        tally = standing if rule == STANDING_RULE else shared_under(pools, members, rule)
        yield measured(rule, tally, entitled)


def shared_under(pools: Sequence[SeasonPool], members: int, rule: str, entitled: list[int] | None = None) -> Tally:
    """Share out a season from its first pool to its last; `entitled` is added to where the rule keeps a standing."""
    tally, standing = Tally(members), Standing()
    terms = Terms("rounding") if rule == STANDING_RULE else Terms(None)
    numbers: dict[str, int] = {}
    for pool in pools:
        batches = [replace(batch, rule=rule) for batch in pool.batches]
        outcomes, standing = share_out_pool(batches, standing, terms, pool.seed, numbers)
        for batch, claimants, outcome in zip(batches, pool.members, outcomes, strict=True):
            tally.add(batch, claimants, outcome)
            if entitled is not None:
                for member, part in zip(claimants, outcome.entitlements, strict=True):
                    entitled[member] += part
    return tally


def measured(rule: str, tally: Tally, entitled: Sequence[int]) -> SeasonUnderRule:
    """Put what a season came to in a few numbers; somebody must have wished for something."""
    filled = [(received, wished) for received, wished in zip(tally.received, tally.wished, strict=True) if wished]
    fills = sorted(Fraction(*each) for each in filled)
    short = sorted(due - MICRO * received for due, received in zip(entitled, tally.received, strict=True))
    return SeasonUnderRule(
        rule=rule,
        received=sum(tally.received),
        wished=sum(tally.wished),
        fully_served=sum(received == wished for received, wished in filled),
        members=len(filled),
        jain=jain(dict(enumerate(filled))),
        lowest=fills[0],
        tenth=fills[len(fills) // 10],
        median=fills[len(fills) // 2],
        most_short=short[-1],
        hundredth_short=short[-1 - len(short) // 100],
        longest_misses=max(tally.longest, default=0),
    )


def season_pools(
    columns: Sequence[Whole],
    yields: dict[tuple[int, int], tuple[str, int]],
    codes: Sequence[str],
    weights: Sequence[int],
    seeds: Sequence[bytes],
) -> list[SeasonPool]:
    """Put a season together from columns of claims: pool, product, member, pieces, time, sorted by the first three.

    `yields` has lot number and pieces by (pool, product); `codes` name the members in rising order of their bytes.
    """
    pools: list[tuple[list[BatchInput], list[list[int]]]] = [([], []) for _ in seeds]
    cycle, product, member, pieces, made = (column.tolist() for column in columns)
    start = 0
    while start < len(cycle):
        end = start
        while end < len(cycle) and (cycle[end], product[end]) == (cycle[start], product[start]):
            end += 1
        lot, units = yields[cycle[start], product[start]]
        own = member[start:end]
        batch = BatchInput(
            id=lot,
            units=units,
            ids=[codes[each] for each in own],
            weights=[weights[each] for each in own],
            requests=pieces[start:end],
            times=made[start:end],
        )
        pools[cycle[start]][0].append(batch)
        pools[cycle[start]][1].append(own)
        start = end
    return [SeasonPool(batches, members, seed) for (batches, members), seed in zip(pools, seeds, strict=True)]

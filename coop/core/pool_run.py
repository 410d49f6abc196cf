"""Share out a whole pool from frozen inputs: awards, the record that proves them, and the figures to judge them by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain as chained
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import TOGETHER_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.commitments import Commitment
from coop.core.fairness import jain, lowest_fill
from coop.core.records import FrozenPool, Head, Source, chain, freeze, last_link, pool_digest, proof_lines
from coop.core.sharing import share_out_pool
from coop.core.together import Choice, Part, SharedPart, missing_of, parts_of_pool
from coop.core.together_record import PartRecord
from coop.core.together_sharing import share_out_by_engine

Whole = NDArray[np.int64]
Of = TypeVar("Of")


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A batch with, in the order of its claims, the order lines and households behind the pseudonyms."""

    offering_id: int
    line_ids: Sequence[int]
    household_ids: Sequence[int]
    batch: BatchInput


@dataclass(frozen=True, slots=True)
class PoolProblem:
    """Everything that decides a pool, frozen; batches stand in the order in which they are applied.

    `choices` are the claims on more than one batch; all others stand with their batch alone.
    """

    season: str
    pool: str
    rule: str
    terms: Terms
    source: Source
    chain_start: str
    batches: Sequence[ClaimedBatch]
    standing: Standing
    commitment: Commitment | None = None
    choices: Sequence[Choice] = ()


class SharedTogether(NamedTuple):
    """A part of a pool whose batches were shared out as one: their places in the pool, what came of it, and its record."""

    places: Sequence[int]
    part: Part
    shared: SharedPart
    record: PartRecord


class FrozenInputs(NamedTuple):
    """The inputs of a pool, written down: those of batches by themselves and of parts, and the digest of all. Where
    claimants stand is none of them.
    """

    alone: FrozenPool
    parts: Sequence[tuple[Sequence[int], Part]]
    records: Sequence[PartRecord]
    digest: str


@dataclass(frozen=True, slots=True)
class DividedPool:
    """What each batch of a pool gave, under the head that binds its inputs; the results are not chained yet."""

    head: Head
    frozen: FrozenPool
    outcomes: Sequence[Outcome]
    together: Sequence[SharedTogether] = ()

    @property
    def input_digest(self) -> str:
        return self.head.input_digest


@dataclass(frozen=True, slots=True)
class SharedPool(DividedPool):
    """What came of a pool: an outcome and a link of the chain for each batch, under the head that binds them.

    `frozen` covers the batches that are shared out each by itself; those of a part all have the link of its record.
    """

    links: Sequence[str] = ()

    @property
    def result_digest(self) -> str:
        return self.together[-1].record.link if self.together else last_link(self.head, self.links)


def share_out(problem: PoolProblem) -> SharedPool:
    """Share out every batch of a pool and chain the results; the same problem always gives the same digests."""
    return on_record(problem, divided(problem))


def frozen_inputs(problem: PoolProblem) -> FrozenInputs:
    """Write down the inputs of a pool; neither its seed nor where its claimants stand need be known."""
    parts = parts_of_pool([claimed.batch for claimed in problem.batches], problem.choices)
    alone = freeze(_alone(problem), problem.terms)
    records = [PartRecord(part) for _, part in parts]
    digests = [*alone.digests, *(record.input_digest for record in records)]
    return FrozenInputs(alone, parts, records, pool_digest(digests) if records else alone.digest)


def divided(problem: PoolProblem, inputs: FrozenInputs | None = None) -> DividedPool:
    """Share out every batch of a pool; `inputs` if they are written down already."""
    inputs = inputs or frozen_inputs(problem)
    batches, parts, records = _alone(problem), inputs.parts, inputs.records
    head = Head(
        season=problem.season,
        pool=problem.pool,
        rule=problem.rule,
        terms=problem.terms,
        source=problem.source,
        chain_start=problem.chain_start,
        batches=len(batches),
        input_digest=inputs.digest,
        commitment=problem.commitment,
        parts=len(parts),
    )
    outcomes, _ = share_out_pool(batches, problem.standing, problem.terms, head.seed)
    together = [
        SharedTogether(places, part, share_out_by_engine(part, head.seed), record)
        for (places, part), record in zip(parts, records, strict=True)
    ]
    return DividedPool(head, inputs.alone, _in_order(problem, outcomes, _outcomes_together(together)), together)


def on_record(problem: PoolProblem, pool: DividedPool) -> SharedPool:
    """Chain the results of a pool that was shared out."""
    apart = [
        outcome
        for claimed, outcome in zip(problem.batches, pool.outcomes, strict=True)
        if claimed.batch.rule != TOGETHER_RULE
    ]
    links = chain(pool.head, _alone(problem), pool.frozen, apart)
    previous = last_link(pool.head, links)
    together = []
    for one in pool.together:
        ended = one.record.ended(one.shared, pool.head.seed, previous)
        together.append(one._replace(record=ended))
        previous = ended.link
    of_parts = {place: one.record.link for one in together for place in one.places}
    return SharedPool(pool.head, pool.frozen, pool.outcomes, together, _in_order(problem, links, of_parts))


def outcomes_of(problem: PoolProblem, seed: bytes) -> list[Outcome]:
    """Share out every batch of a pool by a seed that is known already, without any record."""
    outcomes, _ = share_out_pool(_alone(problem), problem.standing, problem.terms, seed)
    parts = parts_of_pool([claimed.batch for claimed in problem.batches], problem.choices)
    together = [
        SharedTogether(places, part, share_out_by_engine(part, seed), PartRecord(part)) for places, part in parts
    ]
    return _in_order(problem, outcomes, _outcomes_together(together))


def _alone(problem: PoolProblem) -> list[BatchInput]:
    """List the batches that are shared out each by itself."""
    return [claimed.batch for claimed in problem.batches if claimed.batch.rule != TOGETHER_RULE]


def _outcomes_together(together: Iterable[SharedTogether]) -> dict[int, Outcome]:
    """Give the outcomes of batches that were shared out together, by their places in the pool."""
    return {
        place: Outcome(awards) for one in together for place, awards in zip(one.places, one.shared.awards, strict=True)
    }


def _in_order(problem: PoolProblem, alone: Sequence[Of], of_parts: Mapping[int, Of]) -> list[Of]:
    """Put what came of batches by themselves and of parts in the order of the pool's batches."""
    others = iter(alone)
    return [of_parts[place] if place in of_parts else next(others) for place in range(len(problem.batches))]


def proof_of(problem: PoolProblem, shared: SharedPool) -> bytes:
    """Write the proof file of a shared pool, as JSON lines."""
    batches = _alone(problem)
    apart = [place for place, claimed in enumerate(problem.batches) if claimed.batch.rule != TOGETHER_RULE]
    outcomes, links = [shared.outcomes[place] for place in apart], [shared.links[place] for place in apart]
    lines = proof_lines(shared.head, batches, shared.frozen, outcomes, links)
    return b"".join(chained(lines, (one.record.line for one in shared.together)))


def wishes_of(problem: PoolProblem, shared: DividedPool) -> list[Sequence[int]]:
    """Give, batch by batch, what each claim wished for there; a choice wished for what it got, and for its missing
    pieces where it likes best to have them.
    """
    wishes = [claimed.batch.requests for claimed in problem.batches]
    for one in shared.together:
        missing = missing_of(one.part, one.shared)
        chosen = {choice.id for choice in one.part.choices}
        for place, awards, short in zip(one.places, one.shared.awards, missing, strict=True):
            batch = problem.batches[place].batch
            wishes[place] = [
                award + more if claim in chosen else wish
                for claim, award, more, wish in zip(batch.ids, awards, short, batch.requests, strict=True)
            ]
    return wishes


def award_columns(problem: PoolProblem, shared: DividedPool) -> list[dict[str, Whole]]:
    """Give the awards by columns: offering, line, pieces, of them beyond the wish, and, where a standing is kept, entitlement and owed before.

    They stand in the order of offering and line, as the database keeps them. Batches that were shared out together come
    in a table of their own, which knows no standing; there is no table without batches.
    """
    rows = list(zip(problem.batches, shared.outcomes, strict=True))
    together = [row for row in rows if row[0].batch.rule == TOGETHER_RULE]
    alone = [row for row in rows if row[0].batch.rule != TOGETHER_RULE] if together else rows
    tables = [_table(alone, problem.terms)] if alone or not together else []
    return [*tables, _table(together, Terms(None))] if together else tables


def _table(rows: Sequence[tuple[ClaimedBatch, Outcome]], terms: Terms) -> dict[str, Whole]:
    batches, outcomes = [claimed for claimed, _ in rows], [outcome for _, outcome in rows]
    pieces = _flat(outcome.awards for outcome in outcomes)
    wishes = _flat(claimed.batch.requests for claimed in batches)
    sizes = [len(claimed.line_ids) for claimed in batches]
    columns = {
        "offering_id": np.repeat(np.array([claimed.offering_id for claimed in batches], np.int64), sizes),
        "line_id": _flat(claimed.line_ids for claimed in batches),
        "pieces": pieces,
        "extra": np.maximum(pieces - wishes, 0),
    }
    if terms.memory is not None:
        columns["entitled_micro"] = _flat(outcome.entitlements for outcome in outcomes)
        columns["owed_before_micro"] = _flat(outcome.opening for outcome in outcomes)
    if terms.memory == "season":
        columns["entitled_before_micro"] = _flat(outcome.entitled for outcome in outcomes)
    order = np.lexsort((columns["line_id"], columns["offering_id"]))
    return {name: values[order] for name, values in columns.items()}


def _flat(parts: Iterable[Sequence[int]]) -> Whole:
    return np.fromiter(chained.from_iterable(parts), np.int64)


@dataclass(frozen=True, slots=True)
class Fill:
    """How well a pool was filled: order lines, pieces shared out, pieces short of the wishes, and how evenly.

    `lowest` is the least award / wish of a line, `jain` Jain's index over the households' fill rates.
    """

    claims: int
    pieces: int
    short: int
    lowest: Fraction
    jain: Fraction


def fill(problem: PoolProblem, shared: DividedPool) -> Fill:
    """Measure a shared pool; what was awarded beyond a wish fills nothing."""
    return fill_of(
        _flat(claimed.household_ids for claimed in problem.batches),
        _flat(wishes_of(problem, shared)),
        _flat(outcome.awards for outcome in shared.outcomes),
    )


def fill_of(households: Whole, wishes: Whole, pieces: Whole) -> Fill:
    """Measure what the order lines of a pool came to, given by columns."""
    served = np.minimum(pieces, wishes)
    names, places = np.unique(households, return_inverse=True)
    wished, received = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(wished, places, wishes)
    np.add.at(received, places, served)
    short = served < wishes
    return Fill(
        claims=len(pieces),
        pieces=int(pieces.sum()),
        short=int((wishes - served).sum()),
        lowest=lowest_fill(zip(served[short].tolist(), wishes[short].tolist(), strict=True)),
        jain=jain(dict(zip(names.tolist(), zip(received.tolist(), wished.tolist(), strict=True), strict=True))),
    )

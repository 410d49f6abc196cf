"""Share out a whole pool from frozen inputs: awards, the record that proves them, and the figures to judge them by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain as chained

import numpy as np
from numpy.typing import NDArray

from coop.core.claims import BatchInput, Outcome, Standing, Terms
from coop.core.commitments import Commitment
from coop.core.fairness import jain, lowest_fill
from coop.core.records import FrozenPool, Head, Source, chain, freeze, last_link, proof_lines
from coop.core.sharing import share_out_pool

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A batch with, in the order of its claims, the order lines and households behind the pseudonyms."""

    offering_id: int
    line_ids: Sequence[int]
    household_ids: Sequence[int]
    batch: BatchInput


@dataclass(frozen=True, slots=True)
class PoolProblem:
    """Everything that decides a pool, frozen; batches stand in the order in which they are applied."""

    season: str
    pool: str
    rule: str
    terms: Terms
    source: Source
    chain_start: str
    batches: Sequence[ClaimedBatch]
    standing: Standing
    commitment: Commitment | None = None


@dataclass(frozen=True, slots=True)
class SharedPool:
    """What came of a pool: an outcome and a link of the chain for each batch, under the head that binds them."""

    head: Head
    frozen: FrozenPool
    outcomes: Sequence[Outcome]
    links: Sequence[str]

    @property
    def input_digest(self) -> str:
        return self.frozen.digest

    @property
    def result_digest(self) -> str:
        return last_link(self.head, self.links)


def share_out(problem: PoolProblem) -> SharedPool:
    """Share out every batch of a pool and chain the results; the same problem always gives the same digests."""
    batches = [claimed.batch for claimed in problem.batches]
    frozen = freeze(batches, problem.terms)
    head = Head(
        season=problem.season,
        pool=problem.pool,
        rule=problem.rule,
        terms=problem.terms,
        source=problem.source,
        chain_start=problem.chain_start,
        batches=len(batches),
        input_digest=frozen.digest,
        commitment=problem.commitment,
    )
    outcomes, _ = share_out_pool(batches, problem.standing, problem.terms, head.seed)
    return SharedPool(head, frozen, outcomes, chain(head, batches, frozen, outcomes))


def input_digest_of(problem: PoolProblem) -> str:
    """Give the digest of a pool's frozen inputs, which needs no seed."""
    return freeze([claimed.batch for claimed in problem.batches], problem.terms).digest


def proof_of(problem: PoolProblem, shared: SharedPool) -> bytes:
    """Write the proof file of a shared pool, as JSON lines."""
    batches = [claimed.batch for claimed in problem.batches]
    return b"".join(proof_lines(shared.head, batches, shared.frozen, shared.outcomes, shared.links))


def award_columns(problem: PoolProblem, shared: SharedPool) -> dict[str, Whole]:
    """Give the awards by columns: offering, line, pieces, of them beyond the wish, and, where a standing is kept, entitlement and owed before.

    They stand in the order of offering and line, as the database keeps them.
    """
    sizes = [len(claimed.line_ids) for claimed in problem.batches]
    pieces = _flat(outcome.awards for outcome in shared.outcomes)
    wishes = _flat(claimed.batch.requests for claimed in problem.batches)
    columns = {
        "offering_id": np.repeat(np.array([claimed.offering_id for claimed in problem.batches], np.int64), sizes),
        "line_id": _flat(claimed.line_ids for claimed in problem.batches),
        "pieces": pieces,
        "extra": np.maximum(pieces - wishes, 0),
    }
    if problem.terms.memory is not None:
        columns["entitled_micro"] = _flat(outcome.entitlements for outcome in shared.outcomes)
        columns["owed_before_micro"] = _flat(outcome.opening for outcome in shared.outcomes)
    if problem.terms.memory == "season":
        columns["entitled_before_micro"] = _flat(outcome.entitled for outcome in shared.outcomes)
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


def fill(problem: PoolProblem, shared: SharedPool) -> Fill:
    """Measure a shared pool; what was awarded beyond a wish fills nothing."""
    households = _flat(claimed.household_ids for claimed in problem.batches)
    wishes = _flat(claimed.batch.requests for claimed in problem.batches)
    pieces = _flat(outcome.awards for outcome in shared.outcomes)
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

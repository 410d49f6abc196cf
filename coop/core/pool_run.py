"""Share out a whole pool from frozen inputs: awards, the record that proves them, and the figures to judge them by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from coop.core.claims import BatchInput, Outcome, Standing, Terms
from coop.core.records import Head, Source, chain, freeze, last_link, proof_lines
from coop.core.sharing import share_out_pool


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


@dataclass(frozen=True, slots=True)
class SharedPool:
    """What came of a pool; `proof` is the proof file, as JSON lines."""

    input_digest: str
    result_digest: str
    outcomes: Sequence[Outcome]
    proof: bytes


def share_out(problem: PoolProblem) -> SharedPool:
    """Share out every batch of a pool and write the record; the same problem always gives the same bytes."""
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
    )
    outcomes, _ = share_out_pool(batches, problem.standing, problem.terms, head.seed)
    links = chain(head, batches, frozen, outcomes)
    proof = b"".join(proof_lines(head, batches, frozen, outcomes, links))
    return SharedPool(frozen.digest, last_link(head, links), outcomes, proof)


def award_rows(problem: PoolProblem, shared: SharedPool) -> Iterator[tuple[int, int, int, int, int | None, int | None]]:
    """Give (offering, line, pieces, of them beyond the wish, entitlement, owed before) for every claim."""
    for claimed, outcome in zip(problem.batches, shared.outcomes, strict=True):
        nothing: Sequence[None] = [None] * len(claimed.line_ids)
        for line_id, pieces, wish, entitled, owed in zip(
            claimed.line_ids,
            outcome.awards,
            claimed.batch.requests,
            outcome.entitlements or nothing,
            outcome.opening or nothing,
            strict=True,
        ):
            yield claimed.offering_id, line_id, pieces, max(0, pieces - wish), entitled, owed


@dataclass(frozen=True, slots=True)
class Fill:
    """How well a pool was filled: order lines, pieces shared out, pieces short of the wishes, and how evenly.

    `lowest` is the least award / wish of a line; `jain` Jain's index over the households' fill rates, 1 is even.
    """

    claims: int
    pieces: int
    short: int
    lowest: Fraction
    jain: Fraction


def fill(problem: PoolProblem, shared: SharedPool) -> Fill:
    """Measure a shared pool; a pool without wishes counts as filled."""
    claims = pieces = short = 0
    lowest = Fraction(1)
    wished: dict[int, int] = {}
    received: dict[int, int] = {}
    for claimed, outcome in zip(problem.batches, shared.outcomes, strict=True):
        claims += len(claimed.line_ids)
        pieces += sum(outcome.awards)
        for household, wish, award in zip(claimed.household_ids, claimed.batch.requests, outcome.awards, strict=True):
            served = min(wish, award)
            wished[household] = wished.get(household, 0) + wish
            received[household] = received.get(household, 0) + served
            if served < wish:
                short += wish - served
                if served * lowest.denominator < lowest.numerator * wish:
                    lowest = Fraction(served, wish)
    return Fill(claims, pieces, short, lowest, jain_index(received, wished))


def jain_index(received: dict[int, int], wished: dict[int, int]) -> Fraction:
    """Give (sum f)^2 / (n sum f^2) over f = received / wished, of all who wished for anything; 1 where nobody got any."""
    rates = [Fraction(received[household], wish) for household, wish in wished.items() if wish]
    squares = sum((rate * rate for rate in rates), Fraction())
    return sum(rates, Fraction()) ** 2 / (len(rates) * squares) if squares else Fraction(1)


def ratio_text(ratio: Fraction) -> str:
    """Write a ratio with four decimals, rounded half up: "0.9931"."""
    whole = (2 * ratio.numerator * 10_000 + ratio.denominator) // (2 * ratio.denominator)
    return f"{whole // 10_000}.{whole % 10_000:04d}"

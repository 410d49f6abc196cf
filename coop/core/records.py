"""The record of a pool's sharing out: frozen inputs, seed, and one chain of results through the season.

Everything is canonical JSON. It is written here directly, for speed; `canonical.canonical` of the parsed text gives
the same bytes. What binds what: a batch's input digest covers its claims and terms; the pool's input digest covers
its batches in their order, and the seed depends on it; each result names its input, its seed, and the result before
it; the first one names the digest of the head, and the head the last result of the pool before.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from coop.core.canonical import canonical, canonical_text
from coop.core.claims import LOTS_RULE, PRIORITY_RULE, BatchInput, Outcome, Row, Terms
from coop.core.commitments import Commitment, Promise
from coop.core.errors import RuleBroken
from coop.core.tickets import seed_of

CHAIN_START = "0" * 64
"""What the first pool of a season names as the result before it."""

FORMAT = "smallbatch-proof/1"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a pool's seed came from: `value` is its 32 bytes, `promise` what was published before anybody knew it.

    `secrets` are what the witnesses revealed, in the order of their hashes. `draw` is 1, and one more for each draw
    that was void because a witness did not reveal or the beacon's round came too early.
    """

    promise: Promise
    value: bytes
    secrets: tuple[bytes, ...] = ()
    draw: int = 1


@dataclass(frozen=True, slots=True)
class FrozenPool:
    """The inputs of a pool before its seed exists: a canonical text and digest per batch, and the pool's digest."""

    texts: tuple[str, ...]
    digests: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a proof; `rule` is the season's default, `chain_start` the last result digest before.

    `commitment` is what was published before orders opened; None for a pool that was brought in afterwards. `parts` of
    batches that are shared out together follow the batches that are shared out by themselves.
    """

    season: str
    pool: str
    rule: str
    terms: Terms
    source: Source
    chain_start: str
    batches: int
    input_digest: str
    commitment: Commitment | None = None
    parts: int = 0

    @property
    def seed(self) -> bytes:
        return seed_of(self.source.value, self.input_digest)

    @property
    def text(self) -> str:
        """Write the head as canonical JSON."""
        source = self.source.promise.content | {"draw": self.source.draw, "value": self.source.value.hex()}
        if self.source.secrets:
            source["secrets"] = [secret.hex() for secret in self.source.secrets]
        head = {
            "batches": self.batches,
            "chain_start": self.chain_start,
            "commitment": self.commitment.content if self.commitment else None,
            "credit_cap": self.terms.credit_cap,
            "format": FORMAT,
            "input_digest": self.input_digest,
            "memory": self.terms.memory,
            "pool": self.pool,
            "rule": self.rule,
            "season": self.season,
            "source": source,
        }
        return canonical(head | {"parts": self.parts} if self.parts else head).decode()


def freeze(batches: Sequence[BatchInput], terms: Terms) -> FrozenPool:
    """Write down the inputs of a pool's batches, in the order in which they will be applied."""
    names = _Quoted()
    memory = "null" if terms.memory is None else canonical_text(terms.memory)
    terms_text = f'],"credit_cap":{_number(terms.credit_cap)},"memory":{memory}'
    texts = tuple([_input_text(batch, terms_text, names) for batch in batches])
    digests = tuple([text_digest(text) for text in texts])
    return FrozenPool(texts, digests, pool_digest(digests))


def pool_digest(input_digests: Sequence[str]) -> str:
    """Give the digest to publish before the source of the seed exists."""
    return text_digest("\n".join(input_digests))


def chain(head: Head, batches: Sequence[BatchInput], frozen: FrozenPool, outcomes: Sequence[Outcome]) -> list[str]:
    """Link the results of a pool, in order; gives the result digest of each batch."""
    names = _Keys()
    seed = head.seed.hex()
    previous = text_digest(head.text)
    links = []
    for batch, input_digest, outcome in zip(batches, frozen.digests, outcomes, strict=True):
        awards, closing, entitled, opening = _figures(batch.ids, outcome, head.terms, names)
        previous = text_digest(
            f'{{"awards":{awards},"closing":{closing},{entitled}"input_digest":"{input_digest}",'
            f'"opening":{opening},"previous":"{previous}","seed":"{seed}"}}'
        )
        links.append(previous)
    return links


def last_link(head: Head, links: Sequence[str]) -> str:
    """Give the digest that stands for the whole pool, and that the next pool's head names as its chain start."""
    return links[-1] if links else text_digest(head.text)


def proof_lines(
    head: Head,
    batches: Sequence[BatchInput],
    frozen: FrozenPool,
    outcomes: Sequence[Outcome],
    links: Sequence[str],
) -> Iterator[bytes]:
    """Write a proof as JSON lines: the head, then one line per batch with everything `coop verify` recomputes."""
    names = _Keys()
    seed = head.seed.hex()
    yield f"{head.text}\n".encode()
    for place, batch in enumerate(batches):
        awards, closing, entitled, opening = _figures(batch.ids, outcomes[place], head.terms, names)
        yield (
            f'{{"awards":{awards},"closing":{closing},{entitled}"input":{frozen.texts[place]},'
            f'"input_digest":"{frozen.digests[place]}","opening":{opening},'
            f'"result_digest":"{links[place]}","seed":"{seed}"}}\n'
        ).encode()


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Quoted(dict[str, str]):
    """Claim ids as canonical JSON; each is checked and quoted once."""

    def __missing__(self, claim: str) -> str:
        if not claim.isascii():
            raise RuleBroken("key_not_ascii", "Claim ids in a record must be plain ASCII text.", field="id")
        text = self[claim] = canonical_text(claim)
        return text


class _Keys(_Quoted):
    """Claim ids as canonical JSON keys, colon included, ready for `%`."""

    def __missing__(self, claim: str) -> str:
        key = self[claim] = f"{super().__missing__(claim)}:".replace("%", "%%")
        return key


def _input_text(batch: BatchInput, terms_text: str, names: _Quoted) -> str:
    columns = _columns_of_claims(batch)
    rows = zip(map(names.__getitem__, batch.ids), *columns.values(), strict=True)
    claims = ",".join(map(_claim_text(tuple(columns)).__mod__, rows))
    return (
        f'{{"batch":{{"id":{canonical_text(batch.id)},"units":{batch.units}}},"claims":[{claims}'
        f'{terms_text},"rule":"{batch.rule}","version":{batch.version}}}'
    )


def _columns_of_claims(batch: BatchInput) -> dict[str, Sequence[int | str]]:
    """Give all that the batch's rule looks at in its claims, by its name in the record, in the order of the names."""
    columns: dict[str, Sequence[int | str]] = {}
    if batch.rule == LOTS_RULE:
        columns = {"min": batch.minimums, "pack": batch.packs}
    columns["request"] = batch.requests
    if batch.rule == PRIORITY_RULE:
        columns["rows"] = [f"[{','.join(map(_row_text, rows))}]" for rows in batch.rows]
        columns |= {"tier": batch.tiers, "time": () if batch.rows else batch.times}
    if any(batch.tolerances):
        columns["tolerance"] = batch.tolerances
    columns["weight"] = batch.weights
    return columns if all(columns.values()) else {name: values for name, values in columns.items() if values}


@cache
def _claim_text(names: tuple[str, ...]) -> str:
    """Give the text of a claim, its id and figures still to be filled in."""
    return '{"id":%s' + "".join([f',"{name}":%s' for name in names]) + "}"


def _row_text(row: Row) -> str:
    return f'{{"quantity":{row.quantity},"time":{row.time},"tolerance":{row.tolerance}}}'


def _figures(ids: Sequence[str], outcome: Outcome, terms: Terms, names: _Keys) -> tuple[str, str, str, str]:
    """Write awards, closing, entitled (with its key, "" where the memory needs none) and opening."""
    keys = "%d,".join([names[claim] for claim in ids])
    row = f"{{{keys}%d}}" if keys else "{}"
    awards = row % tuple(outcome.awards)
    opening = row % tuple(outcome.opening) if outcome.opening else "{}"
    closing = opening
    if outcome.closing is not outcome.opening:
        closing = row % tuple(outcome.closing) if outcome.closing else "{}"
    entitled = f'"entitled":{row % tuple(outcome.entitled)},' if terms.memory == "season" else ""
    return awards, closing, entitled, opening


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)

"""The record of a corrected batch: two lines after a pool's proof, and the next link of the season's chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coop.core.canonical import canonical
from coop.core.claims import BatchInput, Outcome, Terms
from coop.core.records import Head, freeze, text_digest

CORRECTION_FORMAT = "smallbatch-correction/1"


@dataclass(frozen=True, slots=True)
class Correction:
    """A batch shared out anew; `batch` has the new pieces and version, `corrects` is the result digest it replaces.

    `chain_start` is the last link of the season's chain, which may be another pool's. The seed is the pool's.
    """

    head: Head
    chain_start: str
    corrects: str
    batch: BatchInput
    floors: Sequence[int]
    outcome: Outcome

    @property
    def head_text(self) -> str:
        """Write the line that opens the correction."""
        return correction_head(self.head, self.chain_start, self.batch)

    @property
    def input_digest(self) -> str:
        return freeze([self.batch], self.head.terms).digests[0]

    @property
    def link(self) -> str:
        """Give the result digest."""
        previous = {"previous": text_digest(self.head_text), "input_digest": self.input_digest}
        return text_digest(canonical(correction_result(self) | previous).decode())

    def lines(self) -> Iterator[bytes]:
        """Write both lines."""
        yield f"{self.head_text}\n".encode()
        frozen = freeze([self.batch], self.head.terms).texts[0]
        rest = canonical(
            correction_result(self) | {"input": {}, "input_digest": self.input_digest, "result_digest": self.link}
        )
        yield rest.replace(b'"input":{}', f'"input":{frozen}'.encode(), 1) + b"\n"


def correction_head(head: Head, chain_start: str, batch: BatchInput) -> str:
    """Write the line that opens a correction as canonical JSON."""
    opened = {"batch": batch.id, "chain_start": chain_start, "format": CORRECTION_FORMAT, "pool": head.pool}
    return canonical(opened | {"season": head.season, "version": batch.version}).decode()


def correction_result(correction: Correction) -> dict[str, object]:
    """Give what the link of a correction covers besides its input and the link before."""
    outcome, ids = correction.outcome, correction.batch.ids
    result: dict[str, object] = {
        "awards": dict(zip(ids, outcome.awards, strict=True)),
        "closing": dict(zip(ids, outcome.closing, strict=False)),
        "corrects": correction.corrects,
        "floors": dict(zip(ids, correction.floors, strict=True)),
        "opening": dict(zip(ids, outcome.opening, strict=False)),
        "seed": correction.head.seed.hex(),
    }
    if remembers(correction.head.terms):
        result["entitled"] = dict(zip(ids, outcome.entitled, strict=True))
    return result


def remembers(terms: Terms) -> bool:
    """Whether records hold what each member was entitled to before."""
    return terms.memory == "season"

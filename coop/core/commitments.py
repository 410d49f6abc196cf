"""What a pool promises before its orders open: its rules, caps and memory, and where the seed of its draws will come from."""

from dataclasses import dataclass
from typing import Any

from coop.core.canonical import canonical, digest
from coop.core.claims import Terms

FORMAT_OF_COMMITMENT = "smallbatch-commitment/1"
SOURCES = ("season", "witnesses", "beacon")


@dataclass(frozen=True, slots=True)
class Promise:
    """Where a seed will come from, before anybody can know it.

    `hashes` are the SHA-256 of secrets, in hexadecimal: the season's one, or each witness's. A beacon is a public
    source of chance: `chain` says where to look it up, `round` which of its values counts, `time` when that appears.
    """

    kind: str
    hashes: tuple[str, ...] = ()
    chain: str = ""
    round: str = ""
    time: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """Say what the kind has, and nothing else."""
        if self.kind == "beacon":
            return {"chain": self.chain, "kind": self.kind, "round": self.round, "time": self.time}
        return {"hashes": list(self.hashes), "kind": self.kind}


@dataclass(frozen=True, slots=True)
class PromisedBatch:
    """A batch that was offered: the rule it goes by, and the most that one household may take."""

    id: str
    rule: str
    cap: int | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a pool's page shows from the moment its orders open; `batches` stand in the order of their ids' bytes."""

    season: str
    pool: str
    rule: str
    terms: Terms
    batches: tuple[PromisedBatch, ...]
    promise: Promise

    @property
    def content(self) -> dict[str, Any]:
        """Give what the digest covers."""
        return {
            "batches": [{"cap": batch.cap, "id": batch.id, "rule": batch.rule} for batch in self.batches],
            "credit_cap": self.terms.credit_cap,
            "format": FORMAT_OF_COMMITMENT,
            "memory": self.terms.memory,
            "pool": self.pool,
            "rule": self.rule,
            "season": self.season,
            "source": self.promise.content,
        }

    @property
    def text(self) -> str:
        """Write it as canonical JSON."""
        return canonical(self.content).decode()

    @property
    def digest(self) -> str:
        """Give the digest to note down while orders are open."""
        return digest(self.content)

"""Proofs to try checks on: a small pool with a short batch, plenty, another rule, nothing made and nobody who wanted any."""

import hashlib

from coop.core.claims import STANDING_RULE, WEBSTER_RULE, BatchInput, Standing
from coop.core.commitments import Commitment, Promise, PromisedBatch
from coop.core.records import CHAIN_START, Head, Source, chain, freeze, last_link, proof_lines
from coop.core.sharing import share_out_pool
from coop.core.tickets import source_of_season

ANA, BEN, CLEO = sorted(hashlib.sha256(name).hexdigest()[:32] for name in (b"Ana", b"Ben", b"Cleo"))
BATCHES = [
    BatchInput("2011-W01-jam", 3, [ANA, BEN, CLEO], [1, 2, 1], [2, 2, 1]),
    BatchInput("2011-W01-mug", 5, [ANA, CLEO], [1, 1], [2, 1], [1, 3]),
    BatchInput("2011-W01-näckrosvas", 1, [BEN, CLEO], [2, 1], [1, 1], rule=WEBSTER_RULE),
    BatchInput("2011-W01-pot", 0, [BEN], [2], [4]),
    BatchInput("2011-W01-quilt", 4, [], [], []),
]


SECRET = hashlib.sha256(b"the season's secret").digest()
PROMISE = Promise("season", (hashlib.sha256(SECRET).hexdigest(),))


def commitment_on(batches, terms, *, rule=STANDING_RULE, cap=None, promise=PROMISE):
    """Promise what the batches then keep."""
    promised = tuple(PromisedBatch(batch.id, batch.rule, cap) for batch in batches)
    return Commitment("2011 Spring", "2011-W01", rule, terms, promised, promise)


def proof_of(
    batches,
    terms,
    *,
    source=None,
    standing=None,
    chain_start=CHAIN_START,
    rule=STANDING_RULE,
    commitment=None,
):
    """Share out and give the lines of the proof and the digest that it ends in."""
    frozen = freeze(batches, terms)
    source = source or Source(PROMISE, source_of_season(SECRET, "2011-W01"))
    head = Head(
        season="2011 Spring",
        pool="2011-W01",
        rule=rule,
        terms=terms,
        source=source,
        chain_start=chain_start,
        batches=len(batches),
        input_digest=frozen.digest,
        commitment=commitment,
    )
    outcomes, _ = share_out_pool(batches, standing or Standing(), terms, head.seed)
    links = chain(head, batches, frozen, outcomes)
    return list(proof_lines(head, batches, frozen, outcomes, links)), last_link(head, links)

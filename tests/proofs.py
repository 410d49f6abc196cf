"""Proofs to try checks on: a small pool with a short batch, plenty, another rule, nothing made and nobody who wanted any."""

import hashlib

from coop.core.claims import STANDING_RULE, WEBSTER_RULE, BatchInput, Standing
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


def proof_of(batches, terms, *, source=None, standing=None, chain_start=CHAIN_START, rule=STANDING_RULE):
    """Share out and give the lines of the proof and the digest that it ends in."""
    frozen = freeze(batches, terms)
    source = source or Source("season", source_of_season(b"secret", "2011-W01"))
    head = Head("2011 Spring", "2011-W01", rule, terms, source, chain_start, len(batches), frozen.digest)
    outcomes, _ = share_out_pool(batches, standing or Standing(), terms, head.seed)
    links = chain(head, batches, frozen, outcomes)
    return list(proof_lines(head, batches, frozen, outcomes, links)), last_link(head, links)

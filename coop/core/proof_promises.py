"""Holds a proof against what was promised before orders opened, and against what the co-op published on the way."""

import hashlib
from dataclasses import dataclass

from coop.core.claims import TOGETHER_RULE, BatchInput
from coop.core.commitments import Commitment, PromisedBatch
from coop.core.proof_reading import Differs
from coop.core.records import Head
from coop.core.tickets import source_of_season


@dataclass(frozen=True, slots=True)
class Published:
    """What the co-op published, in hexadecimal, to hold against a file; what is empty is not compared."""

    commitment: str = ""
    input_digest: str = ""
    result_digest: str = ""
    season_secret: str = ""


def check_promises(head: Head) -> None:
    """Find a rule, memory, cap or source that is not the promised one; a first draw must keep its promise to the letter."""
    commitment = head.commitment
    if commitment is None:
        return
    for what, kept, promised in (
        ("season", head.season, commitment.season),
        ("pool", head.pool, commitment.pool),
        ("rule", head.rule, commitment.rule),
        ("memory", head.terms.memory, commitment.terms.memory),
        ("credit cap", head.terms.credit_cap, commitment.terms.credit_cap),
        ("number of batches", head.batches, len(_by_themselves(commitment))),
        ("kind of source", head.source.promise.kind, commitment.promise.kind),
    ):
        if kept != promised:
            raise Differs("commitment", f"The {what} is {kept}, where {promised} was promised.")
    if head.source.draw == 1 and head.source.promise != commitment.promise:
        raise Differs("commitment", "The seed does not come from the source that was promised.")


def check_promised(head: Head, batch: BatchInput, place: int) -> None:
    """Find a batch that was offered in another way: not at all, by another rule, or under another cap."""
    commitment = head.commitment
    if commitment is None:
        return
    listed = _by_themselves(commitment)
    promised = listed[place] if place < len(listed) else None
    if promised is None or promised.id != batch.id:
        raise Differs("commitment", "Another batch was promised in this place.")
    _check_kept(promised, batch)


def check_together(head: Head, batch: BatchInput) -> None:
    """Find a batch that is shared out with others although that was not promised, or under another cap."""
    if head.commitment is None:
        return
    promised = next((one for one in head.commitment.batches if one.id == batch.id), None)
    if promised is None:
        raise Differs("commitment", f"The batch {batch.id} was not promised.")
    _check_kept(promised, batch)


def check_all_promised(head: Head, together: set[str]) -> None:
    """Find a promised batch that is missing from the parts that are shared out together."""
    for promised in head.commitment.batches if head.commitment else ():
        if promised.rule == TOGETHER_RULE and promised.id not in together:
            raise Differs("commitment", f"The batch {promised.id} was promised, and is missing.")


def _by_themselves(commitment: Commitment) -> list[PromisedBatch]:
    return [batch for batch in commitment.batches if batch.rule != TOGETHER_RULE]


def _check_kept(promised: PromisedBatch, batch: BatchInput) -> None:
    if promised.rule != batch.rule:
        raise Differs("commitment", f"The batch goes by {batch.rule}, where {promised.rule} was promised.")
    tolerances = batch.tolerances or [0] * len(batch.ids)
    for claim, request, tolerance in zip(batch.ids, batch.requests, tolerances, strict=True):
        if promised.cap is not None and request + tolerance > promised.cap:
            raise Differs("commitment", f"The claim is above the promised cap of {promised.cap} pieces.", claim)


def check_published(head: Head, published: Published) -> None:
    """Hold the head against digests noted down from the co-op's pages, and against the season's secret once it is told."""
    if published.commitment and (head.commitment is None or head.commitment.digest != published.commitment):
        raise Differs("commitment", "The commitment is not the one that the co-op published before orders opened.")
    if published.input_digest and head.input_digest != published.input_digest:
        raise Differs(
            "input_digest", "The input digest is not the one that the co-op published when it froze the orders."
        )
    if published.season_secret and head.source.promise.kind == "season":
        secret = bytes.fromhex(published.season_secret)
        if head.source.promise.hashes and head.source.promise.hashes != (hashlib.sha256(secret).hexdigest(),):
            raise Differs("source", "The season's secret is not the one whose hash was published before orders opened.")
        if source_of_season(secret, head.pool) != head.source.value:
            raise Differs("source", "The source of the seed does not follow from the season's secret.")

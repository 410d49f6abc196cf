"""Awards that the co-op changed by hand before publishing: what a batch then came to, and its line in the proof.

The rule's own awards stand in the record as they were worked out; this line follows them, names every award that was
changed with what the rule gave, and is the next link of the chain. What was received counts: entitlements are worked
out for the pieces that went to wishes after the changes, so that all balances still sum to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from coop.core.canonical import canonical
from coop.core.claims import LOTS_RULE, MICRO, STANDING_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.correction import Share
from coop.core.correction_record import remembers
from coop.core.errors import RuleBroken
from coop.core.records import freeze, text_digest

OVERRIDES_FORMAT = "smallbatch-overrides/1"


class Change(NamedTuple):
    """One award changed by hand: what the rule gave, what is given, and the digest of the reason."""

    computed: int
    given: int
    reason: str


def digest_of_reason(reason: str) -> str:
    """Give what stands for a reason in the proof: its words are for the household and the co-op alone."""
    return text_digest(reason)


@dataclass(frozen=True, slots=True)
class OverriddenBatch:
    """A batch with the awards changed by hand; `previous` is the link before it in the season's chain."""

    terms: Terms
    seed: bytes
    previous: str
    batch: BatchInput
    changes: Mapping[str, Change]
    outcome: Outcome

    @property
    def link(self) -> str:
        """Give the result digest."""
        return text_digest(canonical(override_result(self)).decode())

    @property
    def line(self) -> bytes:
        """Write the line of the proof."""
        frozen = freeze([self.batch], self.terms).texts[0]
        rest = canonical(override_result(self) | {"input": {}, "result_digest": self.link})
        return rest.replace(b'"input":{}', f'"input":{frozen}'.encode(), 1) + b"\n"


def override_result(made: OverriddenBatch) -> dict[str, object]:
    """Give what the link covers: everything but the input, which stands for itself by its digest."""
    ids, outcome = made.batch.ids, made.outcome
    result: dict[str, object] = {
        "awards": dict(zip(ids, outcome.awards, strict=True)),
        "closing": dict(zip(ids, outcome.closing, strict=False)),
        "format": OVERRIDES_FORMAT,
        "input_digest": freeze([made.batch], made.terms).digests[0],
        "opening": dict(zip(ids, outcome.opening, strict=False)),
        "overrides": {claim: change._asdict() for claim, change in made.changes.items()},
        "previous": made.previous,
        "seed": made.seed.hex(),
    }
    if remembers(made.terms):
        result["entitled"] = dict(zip(ids, outcome.entitled, strict=True))
    return result


def overridden(
    batch: BatchInput, computed: Outcome, given: Mapping[str, int], terms: Terms, seed: bytes, share: Share
) -> Outcome:
    """Give what a batch comes to with these awards instead of the rule's, by claim. Raises `out_of_range`, `bad_pack`, `over_allocated`."""
    awards = [given.get(claim, award) for claim, award in zip(batch.ids, computed.awards, strict=True)]
    check_given(batch, awards, given)
    if terms.memory is None:
        return Outcome(awards)
    served = [min(award, wish) for award, wish in zip(awards, batch.requests, strict=True)]
    standing = Standing(
        dict(zip(batch.ids, computed.opening, strict=True)), dict(zip(batch.ids, computed.entitled, strict=False))
    )
    wishes = replace(batch, units=sum(served), tolerances=(), rule=STANDING_RULE)
    parts = share(wishes, standing, terms, seed).entitlements
    closing = [
        before + part - MICRO * award for before, part, award in zip(computed.opening, parts, served, strict=True)
    ]
    return Outcome(awards, parts, computed.opening, closing, computed.entitled)


def check_given(batch: BatchInput, awards: list[int], changed: Mapping[str, int]) -> None:
    """Hold changed awards to what was asked for, to packs and minimums where the rule has them, and all of them to the batch."""
    mosts = [wish + more for wish, more in zip(batch.requests, batch.tolerances or [0] * len(awards), strict=True)]
    for place, claim in enumerate(batch.ids):
        if claim not in changed:
            continue
        award, most = awards[place], mosts[place]
        if not 0 <= award <= most:
            raise RuleBroken("out_of_range", f"Give from 0 to {most} pieces: more was not asked for.", field="pieces")
        pack = batch.packs[place] if batch.rule == LOTS_RULE and batch.packs else 1
        least = batch.minimums[place] if batch.rule == LOTS_RULE and batch.minimums else 0
        if award % pack or 0 < award < least:
            raise RuleBroken("bad_pack", f"This batch goes out in packs of {pack}, from {least} on.", field="pieces")
    if sum(awards) > batch.units:
        sentence = (
            f"That makes {sum(awards)} of the {batch.units} pieces there are. Take them from another line first, "
            "and have that approved."
        )
        raise RuleBroken("over_allocated", sentence, field="pieces")

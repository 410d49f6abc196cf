"""What happened to an award after the rule: changed by hand, held up by what was fetched already, not covered by credit."""

from dataclasses import dataclass

from coop.core.explain import after_words
from coop.core.explain_numbers import Wording, hundredths


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is told beside the rule's own sentence; balances in micro-units, None where none are kept.

    `floor` pieces were in the household's hands when a corrected yield was shared out, and `holds` says whether what
    was in anybody's hands changed what the rule gave; `declined` pieces were due, but no credit covered them.
    """

    computed: int
    given: int
    reason: str = ""
    owed_by_rule: int | None = None
    owed_now: int | None = None
    floor: int = 0
    holds: bool = False
    declined: int = 0

    @property
    def is_by_hand(self) -> bool:
        return bool(self.reason)


def told_after(after: Aftermath, wording: Wording) -> str:
    """Say it in as many sentences as there is to say, each with a space before it."""
    told = ""
    if after.is_by_hand:
        end = "" if after.reason[-1] in ".!?" else "."
        told += f" Changed by the co-op from {after.computed:,} to {after.given:,}: {after.reason}{end}"
    if after.holds and after.floor:
        told += f" {wording.of(after.floor)} had been fetched before the yield was corrected; nobody gives any back."
    elif after.holds:
        told += " Others had fetched theirs before the yield was corrected; nobody gives any back."
    if after.declined:
        told += f" {wording.of(after.declined)} more would have been yours, but your credit did not cover it."
    if after.owed_now is not None and after.owed_now != after.owed_by_rule:
        since = "so" if after.is_by_hand else "The co-op changed what others received of this batch, so"
        told += f" {since[0].upper()}{since[1:]} you {after_words(hundredths(after.owed_now))} now."
    return told

"""Checks the lines of a proof in which awards were changed by hand: the rule's awards recomputed, the changes named and applied."""

from typing import Any

from coop.core.claims import BatchInput, Outcome
from coop.core.correction_proof import Versions, balances_of, origin_of, whole_column
from coop.core.correction_record import remembers
from coop.core.errors import RuleBroken
from coop.core.fields import Fields
from coop.core.override_record import OVERRIDES_FORMAT, Change, OverriddenBatch, overridden, override_result
from coop.core.proof_reading import Differs, read_input
from coop.core.records import Head
from coop.core.standing import share_out_by_reference


def is_override(value: dict[str, Any]) -> bool:
    """Whether a line changes awards by hand."""
    return value.get("format") == OVERRIDES_FORMAT


def check_override(versions: Versions, head: Head, previous: str, fields: Fields) -> str:
    """Work a batch out again, apply the changes, and return the link of what it then comes to."""
    names = ("awards", "closing", "format", "input", "input_digest", "opening", "overrides", "previous")
    more = ("entitled",) if remembers(head.terms) else ()
    fields.only((*names, "result_digest", "seed", *more))
    batch = read_input(fields.inner("input"), head)
    first = versions.firsts.get(batch.id)
    is_corrected = any(version > 1 for version, _ in versions.latest.values())
    if first is None or is_corrected or versions.latest[batch.id] != (1, first.link):
        raise Differs("override", "Awards of this batch can be changed once, right after the pool's batches.")
    computed = origin_of(first, head, batch, balances_of(fields, head, batch))
    changes = _changes(fields.inner("overrides"), batch, computed)
    given = {claim: change.given for claim, change in changes.items()}
    try:
        outcome = overridden(batch, computed, given, head.terms, head.seed, share_out_by_reference)
    except RuleBroken as broken:
        raise Differs("override", broken.sentence) from broken
    awards = whole_column(fields, "awards", batch)
    for claim, award, expected in zip(batch.ids, awards, outcome.awards, strict=True):
        if award != expected:
            raise Differs("override", f"The line gives {award}, the rule and the changes named give {expected}.", claim)
    found = OverriddenBatch(head.terms, head.seed, previous, batch, changes, outcome)
    for name, expected_value in override_result(found).items():
        if fields.values[name] != expected_value:
            raise Differs(name, f"“{name}” does not follow from the batch and the changes named.")
    if fields.text("result_digest") != found.link:
        raise Differs("chain", "The result digest does not follow from this result and the one before it.")
    versions.latest[batch.id] = (1, found.link)
    return found.link


def _changes(inside: Fields, batch: BatchInput, computed: Outcome) -> dict[str, Change]:
    inside.only(batch.ids)
    by_rule = dict(zip(batch.ids, computed.awards, strict=True))
    changes = {}
    for claim in inside.values:
        one = inside.inner(claim)
        one.only(("computed", "given", "reason"))
        change = Change(one.whole("computed"), one.whole("given"), one.hexadecimal("reason", length=32).hex())
        if change.computed != by_rule[claim]:
            raise Differs("override", f"The rule gives {by_rule[claim]}, not {change.computed}.", claim)
        if change.given == change.computed:
            raise Differs("override", "What the rule gives is no change.", claim)
        changes[claim] = change
    if not changes:
        raise Differs("override", "The line changes nothing.")
    return changes

"""Checks a proof file with the pure reference alone, as any stranger can, and names the first thing that differs."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coop.core.canonical import canonical, written
from coop.core.claims import LOTS_RULE, BatchInput, Outcome, Standing
from coop.core.correction_proof import FirstResult, Versions, check_correction, check_correction_head
from coop.core.errors import RuleBroken
from coop.core.fields import Fields, fields_of, parsed
from coop.core.override_proof import check_override, is_override
from coop.core.proof_promises import Published, check_all_promised, check_promised, check_promises, check_published
from coop.core.proof_reading import Differs, read_head, read_input
from coop.core.records import CHAIN_START, Head, pool_digest, text_digest
from coop.core.standing import share_out_by_reference
from coop.core.together_proof import check_part


@dataclass(slots=True)
class _Check:
    """How far a check has come."""

    head: Head
    previous: str
    standing: Standing = field(default_factory=Standing)
    inputs: list[str] = field(default_factory=list)
    versions: Versions = field(default_factory=Versions)
    together: set[str] = field(default_factory=set)


def verify_lines(lines: Iterable[bytes], published: Published | None = None) -> dict[str, Any]:
    """Recompute a proof given as lines with their line ends, and hold it against what was published.

    Gives {"ok", "batches", "result_digest", "first_difference"}: how many batches hold, the digest of the last one
    that does, and None or {"line", "batch", "what", "claim", "sentence"}.
    """
    source = iter(lines)
    published = published or Published()
    number, batch_id = 1, None
    check = None
    try:
        head = read_head(_line(next(source, b"")))
        check_promises(head)
        check_published(head, published)
        check = _Check(head, text_digest(head.text))
        for raw in source:
            number, batch_id = number + 1, None
            value = _line(raw)
            batch_id = _batch_id(value)
            _check_line(check, value)
        number, batch_id = number + 1, None
        _check_end(check, published)
    except (Differs, RuleBroken) as found:
        return _verdict(check, _difference(found, number, batch_id))
    return _verdict(check, None)


def _verdict(check: _Check | None, difference: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "ok": difference is None,
        "batches": len(check.inputs) if check else 0,
        "result_digest": check.previous if check else None,
        "first_difference": difference,
    }


def _difference(found: Differs | RuleBroken, number: int, batch_id: str | None) -> dict[str, Any]:
    if isinstance(found, Differs):
        what, claim, sentence = found.what, found.claim or None, found.sentence
    else:
        where = f" ({found.field})" if found.field else ""
        what, claim, sentence = found.code, None, f"{found.sentence}{where}"
    return {"line": number, "batch": batch_id, "what": what, "claim": claim, "sentence": sentence}


def _line(raw: bytes) -> dict[str, Any]:
    """Parse one line, which must be canonical to the byte."""
    if not raw.endswith(b"\n"):
        raise Differs("line_end", "The line is cut off, or missing: every line of a proof ends with a line feed.")
    value = parsed(raw[:-1])
    fields_of(value, "")
    if canonical(value) != raw[:-1]:
        raise Differs("not_canonical", "The line is not canonical JSON: keys sorted, no spaces, nothing doubled.")
    found: dict[str, Any] = value
    return found


def _batch_id(value: dict[str, Any]) -> str | None:
    try:
        inside = value["input"]
        return str(inside["batch"]["id"] if "batch" in inside else inside["batches"][0]["id"])
    except (KeyError, TypeError, IndexError):
        return None


def _check_line(check: _Check, value: dict[str, Any]) -> None:
    """Check a batch of the pool, a part of it, awards changed by hand, or one of the two lines of a correction."""
    if len(check.inputs) < check.head.batches:
        _check_batch(check, Fields(value))
    elif len(check.inputs) < check.head.batches + check.head.parts:
        part = check_part(Fields(value), check.head, check.previous, check.together)
        check.inputs.append(part.input_digest)
        check.previous = part.link
    elif check.versions.opened is None and is_override(value):
        _check_pool(check)
        check.previous = check_override(check.versions, check.head, check.previous, Fields(value))
    elif check.versions.opened is None:
        _check_pool(check)
        check_correction_head(check.versions, check.head, value)
    else:
        check.previous = check_correction(check.versions, check.head, Fields(value))


def _check_batch(check: _Check, fields: Fields) -> None:
    has_memory = check.head.terms.memory == "season"
    names = ("awards", "closing", "input", "input_digest", "opening", "result_digest", "seed")
    fields.only((*names, "entitled") if has_memory else names)
    batch = read_input(fields.inner("input"), check.head)
    check_promised(check.head, batch, len(check.inputs))
    input_digest = _digest(fields.values["input"])
    if fields.text("input_digest") != input_digest:
        raise Differs("input", "The frozen input (batch, claims, rule or terms) is not the one that was digested.")
    if fields.text("seed") != check.head.seed.hex():
        raise Differs("seed", "The seed does not follow from the source and the pool's input digest.")
    balances = batch.ids if check.head.terms.memory else ()
    opening = _column(fields, "opening", balances)
    entitled = _column(fields, "entitled", balances) if has_memory else []
    _check_opening(check, batch, opening, entitled)
    awards = _column(fields, "awards", batch.ids)
    closing = _column(fields, "closing", balances)
    outcome = share_out_by_reference(batch, check.standing, check.head.terms, check.head.seed)
    _check_figures(batch, awards, closing, outcome)
    result = {name: fields.values[name] for name in ("awards", "closing", "opening", "seed")}
    if has_memory:
        result["entitled"] = fields.values["entitled"]
    link = _digest({**result, "input_digest": input_digest, "previous": check.previous})
    if fields.text("result_digest") != link:
        raise Differs("chain", "The result digest does not follow from this result and the one before it.")
    check.versions.add(batch, FirstResult(batch.units, input_digest, check.previous, link))
    check.standing.add(batch.ids, outcome)
    check.inputs.append(input_digest)
    check.previous = link


def _digest(checked: dict[str, Any]) -> str:
    return hashlib.sha256(written(checked)).hexdigest()


def _column(fields: Fields, name: str, ids: Sequence[str]) -> list[int]:
    inside = fields.inner(name)
    for claim in ids:
        if claim not in inside.values:
            raise Differs(name, f"“{name}” has no entry for this claim.", claim)
    inside.only(ids)
    return [inside.whole(claim, least=-(2**53 - 1)) for claim in ids]


def _check_opening(check: _Check, batch: BatchInput, opening: Sequence[int], entitled: Sequence[int]) -> None:
    """Hold each opening balance against the last closing one; a member new in this file is taken at its word.

    The word is bound by the chain all the same; only in a season's first pool everybody must start at 0.
    """
    for balances, own, what in (
        (check.standing.owed, opening, "opening"),
        (check.standing.entitled, entitled, "entitled"),
    ):
        for claim, balance in zip(batch.ids, own, strict=False):
            expected = balances.get(claim, 0 if check.head.chain_start == CHAIN_START else balance)
            if balance != expected:
                sentence = f"The claim opens at {balance} micro-units, but the batch before left it at {expected}."
                raise Differs(what, sentence, claim)
            balances[claim] = balance


def _check_figures(batch: BatchInput, awards: Sequence[int], closing: Sequence[int], outcome: Outcome) -> None:
    asked = [sum(both) for both in zip(batch.requests, batch.tolerances or [0] * len(batch.ids), strict=True)]
    for claim, award, most in zip(batch.ids, awards, asked, strict=True):
        if not 0 <= award <= most:
            raise Differs("cap", f"The award of {award} lies outside 0 to {most}, what the claim asked for.", claim)
    if batch.rule != LOTS_RULE and sum(awards) != min(batch.units, sum(asked)):
        sentence = f"{sum(awards)} pieces are awarded where {min(batch.units, sum(asked))} must be."
        raise Differs("sum", sentence, _first_unlike(batch.ids, awards, outcome.awards))
    claim = _first_unlike(batch.ids, awards, outcome.awards)
    if claim:
        place = batch.ids.index(claim)
        sentence = f"The record awards {awards[place]}; the rule {batch.rule} gives {outcome.awards[place]}."
        raise Differs("award", sentence, claim)
    claim = _first_unlike(batch.ids, closing, outcome.closing)
    if claim:
        place = batch.ids.index(claim)
        sentence = f"The record closes at {closing[place]} micro-units; it must be {outcome.closing[place]}."
        raise Differs("closing", sentence, claim)


def _first_unlike(ids: Sequence[str], recorded: Sequence[int], expected: Sequence[int]) -> str:
    return next((claim for claim, a, b in zip(ids, recorded, expected, strict=False) if a != b), "")


def _check_end(check: _Check, published: Published) -> None:
    _check_pool(check)
    if check.versions.opened is not None:
        raise Differs("batches", "The file ends within a correction.")
    if published.result_digest and published.result_digest != check.previous:
        raise Differs("result_digest", "The result digest is not the one that the co-op published.")


def _check_pool(check: _Check) -> None:
    if len(check.inputs) != check.head.batches + check.head.parts:
        parts = f" and {check.head.parts} parts" if check.head.parts else ""
        sentence = f"The head promises {check.head.batches} batches{parts}, the file holds {len(check.inputs)} of them."
        raise Differs("batches", sentence)
    check_all_promised(check.head, check.together)
    if pool_digest(check.inputs) != check.head.input_digest:
        raise Differs("order", "The batches, in this order, do not give the pool's input digest.")

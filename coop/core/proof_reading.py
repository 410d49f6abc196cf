"""Reads the head and the frozen inputs of a proof strictly: what does not read as the record writes it differs."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from coop.core.canonical import written
from coop.core.claims import LOTS_RULE, MEMORIES, PRIORITY_RULE, BatchInput, Row, Terms, rule_named
from coop.core.commitments import FORMAT_OF_COMMITMENT, SOURCES, Commitment, Promise, PromisedBatch
from coop.core.errors import RuleBroken
from coop.core.fields import Fields
from coop.core.records import FORMAT, Head, Source, freeze
from coop.core.tickets import source_of_witnesses

MOST_CLAIMS = 10_000_000
MOST_ROWS = 10_000
CLAIM_FIELDS = {PRIORITY_RULE: ("rows", "tier", "time"), LOTS_RULE: ("min", "pack")}
"""What a record of these rules holds beside wish and weight."""


class Differs(Exception):  # noqa: N818 - it says what the check found
    """Something in the proof is not what it must be; `what` is one word for it."""

    def __init__(self, what: str, sentence: str, claim: str = "") -> None:
        super().__init__(sentence)
        self.what = what
        self.sentence = sentence
        self.claim = claim


def read_head(value: dict[str, Any]) -> Head:
    """Read the first line of a proof."""
    fields = Fields(value)
    names = ("batches", "chain_start", "commitment", "credit_cap", "format", "input_digest", "memory", "pool", "rule")
    fields.only((*names, "parts", "season", "source"))
    if fields.text("format") != FORMAT:
        raise Differs("format", f"The head must name the format {FORMAT}.")
    head = Head(
        season=fields.text("season"),
        pool=fields.text("pool"),
        rule=rule_named(fields.text("rule")),
        terms=_terms(fields),
        source=_source(fields.inner("source")),
        chain_start=fields.hexadecimal("chain_start", length=32).hex(),
        batches=fields.whole("batches"),
        input_digest=fields.hexadecimal("input_digest", length=32).hex(),
        commitment=read_commitment(fields.inner("commitment")) if fields.values.get("commitment") is not None else None,
        parts=fields.whole("parts", 0),
    )
    if head.text.encode() != written(value):
        raise Differs("head", "The head does not read as the record writes it.")
    return head


def read_input(fields: Fields, head: Head) -> BatchInput:
    """Read the frozen input of one batch, which must keep the terms of the head."""
    fields.only(("batch", "claims", "credit_cap", "memory", "rule", "version"))
    if _terms(fields) != head.terms:
        raise Differs("terms", "Memory or credit cap are not those of the head.")
    inside = fields.inner("batch")
    inside.only(("id", "units"))
    claims = fields.inners("claims", most=MOST_CLAIMS)
    rule = rule_named(fields.text("rule"))
    names = CLAIM_FIELDS.get(rule, ())
    for claim in claims:
        claim.only(("id", "request", "tolerance", "weight", *names))
    ids = [claim.identifier("id") for claim in claims]
    if any(first.encode() >= second.encode() for first, second in pairwise(ids)):
        raise Differs("order", "Claims must stand in rising order of their ids, each once.")
    tolerances = [claim.whole("tolerance", 0) for claim in claims]
    batch = BatchInput(
        id=inside.text("id"),
        units=inside.whole("units"),
        ids=ids,
        weights=[claim.whole("weight", least=1) for claim in claims],
        requests=[claim.whole("request") for claim in claims],
        tolerances=tolerances if any(tolerances) else (),
        rule=rule,
        version=fields.whole("version", least=1),
        tiers=_more(claims, "tier", 0),
        times=_more(claims, "time", 0),
        rows=[_rows(claim) for claim in claims] if claims and "rows" in claims[0].values else (),
        packs=_more(claims, "pack", 1),
        minimums=_more(claims, "min", 0),
    )
    _check_rows(batch)
    if freeze([batch], head.terms).texts[0].encode() != written(fields.values):
        raise Differs("input", "The frozen input does not read as the record writes it.")
    return batch


def _more(claims: Sequence[Fields], name: str, least: int) -> list[int]:
    """Read a column that only some rules have; it stands with every claim or with none."""
    return [claim.whole(name, least=least) for claim in claims] if claims and name in claims[0].values else []


def _rows(claim: Fields) -> tuple[Row, ...]:
    rows = claim.inners("rows", most=MOST_ROWS)
    for row in rows:
        row.only(("quantity", "time", "tolerance"))
    return tuple(Row(row.whole("time"), row.whole("quantity"), row.whole("tolerance")) for row in rows)


def _check_rows(batch: BatchInput) -> None:
    tolerances = batch.tolerances or [0] * len(batch.ids)
    for claim, rows, request, tolerance in zip(batch.ids, batch.rows, batch.requests, tolerances, strict=False):
        if sum(row.quantity for row in rows) != request or sum(row.tolerance for row in rows) != tolerance:
            raise Differs("input", "The dated rows do not add up to what the claim asks for.", claim)
        if any(earlier.time > later.time for earlier, later in pairwise(rows)):
            raise Differs("order", "The rows of a claim must stand in the order of their times.", claim)


def _terms(fields: Fields) -> Terms:
    memory = None if fields.values.get("memory") is None else fields.choice("memory", MEMORIES, "", "unknown_memory")
    return Terms(memory, fields.whole_or_none("credit_cap", needed=True))


def read_commitment(fields: Fields) -> Commitment:
    """Read what a pool promised."""
    fields.only(("batches", "credit_cap", "format", "memory", "pool", "rule", "season", "source"))
    if fields.text("format") != FORMAT_OF_COMMITMENT:
        raise Differs("commitment", f"The commitment must name the format {FORMAT_OF_COMMITMENT}.")
    source = fields.inner("source")
    source.only(("chain", "hashes", "kind", "round", "time"))
    return Commitment(
        season=fields.text("season"),
        pool=fields.text("pool"),
        rule=rule_named(fields.text("rule")),
        terms=_terms(fields),
        batches=tuple(_promised(batch) for batch in fields.inners("batches", most=MOST_CLAIMS)),
        promise=_promise(source),
    )


def _promised(fields: Fields) -> PromisedBatch:
    fields.only(("cap", "id", "rule"))
    return PromisedBatch(fields.text("id"), rule_named(fields.text("rule")), fields.whole_or_none("cap", needed=True))


def _promise(fields: Fields) -> Promise:
    kind = fields.choice("kind", SOURCES, "", "unknown_source")
    if kind == "beacon":
        return Promise(kind, (), fields.text("chain"), fields.text("round"), fields.text("time"))
    hashes = tuple(digest.hex() for digest in _hexadecimals(fields, "hashes"))
    if len(hashes) < 2 and kind == "witnesses":
        raise Differs("source", "A draw by witnesses needs at least two of them.")
    return Promise(kind, hashes)


def _source(fields: Fields) -> Source:
    fields.only(("chain", "draw", "hashes", "kind", "round", "secrets", "time", "value"))
    promise = _promise(fields)
    secrets = _hexadecimals(fields, "secrets") if promise.kind == "witnesses" else ()
    value = fields.hexadecimal("value", length=32)
    if promise.kind == "witnesses":
        if tuple(hashlib.sha256(secret).hexdigest() for secret in secrets) != promise.hashes:
            raise Differs("source", "The secrets of the witnesses are not those whose hashes were published.")
        if source_of_witnesses(list(secrets)) != value:
            raise Differs("source", "The secrets of the witnesses do not give the source of the seed.")
    return Source(promise, value, secrets, fields.whole("draw", least=1))


def _hexadecimals(fields: Fields, name: str) -> tuple[bytes, ...]:
    """Read a list of 32 bytes each."""
    listed = fields.values.get(name)
    if not isinstance(listed, list):
        raise RuleBroken("not_a_list", f"“{name}” must be a list.", field=fields.at(name))
    given = Fields({str(place): text for place, text in enumerate(listed)}, fields.at(name))
    return tuple(given.hexadecimal(place, length=32) for place in given.values)

"""Reads the head and the frozen inputs of a proof strictly: what does not read as the record writes it differs."""

from itertools import pairwise
from typing import Any

from coop.core.canonical import written
from coop.core.claims import MEMORIES, BatchInput, Terms, rule_named
from coop.core.fields import Fields
from coop.core.records import FORMAT, Head, Source, freeze
from coop.core.tickets import source_of_witnesses

MOST_CLAIMS = 10_000_000
SOURCES = ("season", "witnesses", "beacon")


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
    names = ("batches", "chain_start", "credit_cap", "format", "input_digest", "memory", "pool", "rule", "season")
    fields.only((*names, "source"))
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
    for claim in claims:
        claim.only(("id", "request", "tolerance", "weight"))
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
        rule=rule_named(fields.text("rule")),
        version=fields.whole("version", least=1),
    )
    if freeze([batch], head.terms).texts[0].encode() != written(fields.values):
        raise Differs("input", "The frozen input does not read as the record writes it.")
    return batch


def _terms(fields: Fields) -> Terms:
    memory = None if fields.values.get("memory") is None else fields.choice("memory", MEMORIES, "", "unknown_memory")
    return Terms(memory, fields.whole_or_none("credit_cap", needed=True))


def _source(fields: Fields) -> Source:
    fields.only(("kind", "value", "secrets", "round"))
    kind = fields.choice("kind", SOURCES, "", "unknown_source")
    value = fields.hexadecimal("value", length=32)
    secrets: tuple[bytes, ...] = ()
    if kind == "witnesses":
        listed = fields.values.get("secrets")
        given = Fields({str(place): text for place, text in enumerate(listed)} if isinstance(listed, list) else {})
        secrets = tuple(given.hexadecimal(place, length=32) for place in given.values)
        if len(secrets) < 2 or source_of_witnesses(list(secrets)) != value:
            raise Differs("source", "The secrets of the witnesses do not give the source of the seed.")
    return Source(kind, value, secrets, fields.text("round", ""))

"""Checks the line of a proof that tells how batches were shared out together."""

from itertools import pairwise
from typing import NamedTuple

from coop.core.canonical import written
from coop.core.claims import TOGETHER_RULE, BatchInput
from coop.core.fields import Fields
from coop.core.leximin import share_out_flow
from coop.core.proof_promises import check_together
from coop.core.proof_reading import MOST_CLAIMS, Differs
from coop.core.records import Head, text_digest
from coop.core.rule_book import extras_by_reference
from coop.core.tickets import ticket, tie_key
from coop.core.together import Choice, Part, share_out_part
from coop.core.together_record import awards_by_claim, part_content, part_link


class CheckedPart(NamedTuple):
    """What a part that holds is known by."""

    input_digest: str
    link: str


def check_part(fields: Fields, head: Head, previous: str, known: set[str]) -> CheckedPart:
    """Share out the batches of a part again; `known` are the batches of the parts before, and is added to."""
    fields.only(("awards", "input", "input_digest", "result_digest", "seed"))
    part = read_part(fields.inner("input"))
    for batch in part.batches:
        if batch.id in known:
            raise Differs("batches", f"The batch {batch.id} is shared out twice.")
        known.add(batch.id)
        check_together(head, batch)
    input_digest = text_digest(written(fields.values["input"]).decode())
    if fields.text("input_digest") != input_digest:
        raise Differs("input", "The frozen input (batches, claims or rule) is not the one that was digested.")
    if fields.text("seed") != head.seed.hex():
        raise Differs("seed", "The seed does not follow from the source and the pool's input digest.")
    shared = share_out_part(part, head.seed, share_out_flow, _topped_up)
    expected = awards_by_claim(part, shared)
    awards = fields.inner("awards")
    awards.only(list(expected))
    for claim, own in expected.items():
        if awards.values.get(claim) != own:
            sentence = f"The record awards {awards.values.get(claim)}; shared out together it is {own}."
            raise Differs("award", sentence, claim)
    link = part_link({"awards": expected, "seed": head.seed.hex()}, input_digest, previous)
    if fields.text("result_digest") != link:
        raise Differs("chain", "The result digest does not follow from this result and the one before it.")
    return CheckedPart(input_digest, link)


def read_part(fields: Fields) -> Part:
    """Read what was frozen of a part."""
    fields.only(("batches", "claims", "rule", "version"))
    batches = fields.inners("batches", most=MOST_CLAIMS)
    claims = fields.inners("claims", most=MOST_CLAIMS)
    lines: list[dict[str, tuple[int, int, int]]] = [{} for _ in batches]
    choices = []
    for claim in claims:
        claim.only(("cap", "id", "lines", "weight"))
        name, weight = claim.identifier("id"), claim.whole("weight", least=1)
        places = []
        for line in claim.inners("lines", most=len(batches)):
            line.only(("batch", "request", "tolerance"))
            places.append(line.whole("batch", most=len(batches) - 1))
            lines[places[-1]][name] = (weight, line.whole("request"), line.whole("tolerance", 0))
        if "cap" in claim.values:
            choices.append(Choice(name, claim.whole("cap"), tuple(places)))
        elif len(places) > 1:
            raise Differs("input", "A claim on several batches must say how many pieces it takes in all.", name)
    ids = [claim.text("id") for claim in claims]
    if any(first.encode() >= second.encode() for first, second in pairwise(ids)):
        raise Differs("order", "Claims must stand in rising order of their ids, each once.")
    part = Part([_batch(one, own) for one, own in zip(batches, lines, strict=True)], choices)
    names = [batch.id.encode() for batch in part.batches]
    if not names or any(first >= second for first, second in pairwise(names)):
        raise Differs("order", "Batches must stand in rising order of their ids, each once.")
    if written(part_content(part)) != written(fields.values):
        raise Differs("input", "The frozen input does not read as the record writes it.")
    return part


def _batch(fields: Fields, lines: dict[str, tuple[int, int, int]]) -> BatchInput:
    fields.only(("id", "units"))
    ids = sorted(lines, key=str.encode)
    tolerances = [lines[claim][2] for claim in ids]
    return BatchInput(
        id=fields.text("id"),
        units=fields.whole("units"),
        ids=ids,
        weights=[lines[claim][0] for claim in ids],
        requests=[lines[claim][1] for claim in ids],
        tolerances=tolerances if any(tolerances) else (),
        rule=TOGETHER_RULE,
    )


def _topped_up(batch: BatchInput, left: int, seed: bytes) -> list[int]:
    key = tie_key(seed, batch.id)
    ranks = [(ticket(key, claim), claim.encode()) for claim in batch.ids]
    return extras_by_reference(batch, left, ranks, seed)

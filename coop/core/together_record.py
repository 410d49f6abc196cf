"""The record of batches that were shared out together: one line of the proof after the single batches, one link of the chain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from coop.core.canonical import canonical
from coop.core.claims import TOGETHER_RULE
from coop.core.records import text_digest
from coop.core.together import Part, SharedPart


@dataclass(frozen=True)
class PartRecord:
    """A part with what was frozen of it and, once it is `ended`, its result and its link."""

    part: Part
    result: Mapping[str, Any] | None = None
    link: str = ""

    @cached_property
    def content(self) -> dict[str, Any]:
        """Give what the input digest covers: the batches, and each claim with its lines, the best liked first."""
        return part_content(self.part)

    @cached_property
    def input_digest(self) -> str:
        return text_digest(canonical(self.content).decode())

    def ended(self, shared: SharedPart, seed: bytes, previous: str) -> "PartRecord":
        """Give the record with its result, linked to the result before it."""
        result = {"awards": awards_by_claim(self.part, shared), "seed": seed.hex()}
        return replace(self, result=result, link=part_link(result, self.input_digest, previous))

    @property
    def line(self) -> bytes:
        """Write the line of the proof."""
        assert self.result is not None
        rest = {"input": self.content, "input_digest": self.input_digest, "result_digest": self.link}
        return canonical({**self.result, **rest}) + b"\n"


def part_link(result: Mapping[str, Any], input_digest: str, previous: str) -> str:
    """Give the result digest, which names the one before it."""
    return text_digest(canonical({**result, "input_digest": input_digest, "previous": previous}).decode())


def part_content(part: Part) -> dict[str, Any]:
    """Put what was frozen in the form of the record; only a choice has a cap."""
    lines: dict[str, dict[int, dict[str, int]]] = {}
    weights: dict[str, int] = {}
    for place, batch in enumerate(part.batches):
        weights |= zip(batch.ids, batch.weights, strict=True)
        tolerances = batch.tolerances or [0] * len(batch.ids)
        for claim, request, more in zip(batch.ids, batch.requests, tolerances, strict=True):
            line = {"batch": place, "request": request}
            lines.setdefault(claim, {})[place] = line | {"tolerance": more} if more else line
    chosen = {choice.id: choice for choice in part.choices}
    claims = []
    for claim in sorted(weights, key=str.encode):
        places = chosen[claim].places if claim in chosen else tuple(lines[claim])
        own = {"id": claim, "lines": [lines[claim][place] for place in places], "weight": weights[claim]}
        claims.append(own | {"cap": chosen[claim].cap} if claim in chosen else own)
    batches = [{"id": batch.id, "units": batch.units} for batch in part.batches]
    return {"batches": batches, "claims": claims, "rule": TOGETHER_RULE, "version": 1}


def awards_by_claim(part: Part, shared: SharedPart) -> dict[str, dict[str, int]]:
    """Give what each claim received of each batch, what it took beyond its wish included."""
    found: dict[str, dict[str, int]] = {claim: {} for claim in shared.network.ids}
    for batch, awards in zip(part.batches, shared.awards, strict=True):
        for claim, award in zip(batch.ids, awards, strict=True):
            if award:
                found[claim][batch.id] = award
    return found

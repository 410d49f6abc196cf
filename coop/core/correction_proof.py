"""Checks the corrections at the end of a proof: the same claims, openings and seed, new pieces, nothing taken back."""

from dataclasses import dataclass, field, replace
from typing import Any

from coop.core.canonical import canonical
from coop.core.claims import BatchInput, Outcome, Standing
from coop.core.correction import corrected
from coop.core.correction_record import CORRECTION_FORMAT, Correction, correction_result, remembers
from coop.core.fields import Fields
from coop.core.proof_reading import Differs, read_input
from coop.core.records import Head, freeze, text_digest
from coop.core.standing import share_out_by_reference


@dataclass(frozen=True, slots=True)
class FirstResult:
    """What a batch's first version is known by: its pieces, its input, the link before it and its own."""

    units: int
    input_digest: str
    previous: str
    link: str


@dataclass(slots=True)
class Versions:
    """The versions of a pool's batches as far as the check has come; `opened` is a correction's head, read and waiting."""

    firsts: dict[str, FirstResult] = field(default_factory=dict)
    latest: dict[str, tuple[int, str]] = field(default_factory=dict)
    opened: dict[str, Any] | None = None

    def add(self, batch: BatchInput, first: FirstResult) -> None:
        """Take in a batch of the pool."""
        self.firsts[batch.id] = first
        self.latest[batch.id] = (1, first.link)


def check_correction_head(versions: Versions, head: Head, value: dict[str, Any]) -> None:
    """Read the first of a correction's two lines."""
    fields = Fields(value)
    fields.only(("batch", "chain_start", "format", "pool", "season", "version"))
    if fields.text("format") != CORRECTION_FORMAT:
        raise Differs("batches", f"After its {head.batches} batches a proof holds corrections and nothing else.")
    if (fields.text("pool"), fields.text("season")) != (head.pool, head.season):
        raise Differs("head", "The correction is of another pool.")
    fields.hexadecimal("chain_start", length=32)
    known = versions.latest.get(fields.text("batch"))
    if known is None or fields.whole("version") != known[0] + 1:
        raise Differs("version", "The correction does not follow the batch's version before.")
    versions.opened = value


def check_correction(versions: Versions, head: Head, fields: Fields) -> str:
    """Share out a corrected batch again, and return its link."""
    opened = versions.opened
    assert opened is not None
    names = ("awards", "closing", "corrects", "floors", "input", "input_digest", "opening", "result_digest", "seed")
    fields.only((*names, "entitled") if remembers(head.terms) else names)
    batch = read_input(fields.inner("input"), head)
    if (batch.id, batch.version) != (opened["batch"], opened["version"]):
        raise Differs("input", "The corrected input is not the one that its head names.")
    balances = balances_of(fields, head, batch)
    origin_of(versions.firsts[batch.id], head, batch, balances)
    if fields.text("corrects") != versions.latest[batch.id][1]:
        raise Differs("corrects", "The correction replaces another result than the batch's last one.")
    floors = whole_column(fields, "floors", batch)
    asked = [wish + more for wish, more in zip(batch.requests, batch.tolerances or [0] * len(batch.ids), strict=True)]
    for claim, floor, most in zip(batch.ids, floors, asked, strict=True):
        if not 0 <= floor <= most:
            raise Differs("floors", f"{floor} pieces handed over lie outside 0 to {most}.", claim)
    outcome = corrected(batch, floors, balances, head.terms, head.seed, share_out_by_reference)
    found = Correction(head, opened["chain_start"], versions.latest[batch.id][1], batch, floors, outcome)
    _check_result(fields, found)
    versions.latest[batch.id] = (batch.version, found.link)
    versions.opened = None
    return found.link


def balances_of(fields: Fields, head: Head, batch: BatchInput) -> Standing:
    """Read where the claims of a batch stood before it."""
    standing = Standing()
    if head.terms.memory:
        standing.owed = dict(zip(batch.ids, whole_column(fields, "opening", batch), strict=True))
    if remembers(head.terms):
        standing.entitled = dict(zip(batch.ids, whole_column(fields, "entitled", batch), strict=True))
    return standing


def origin_of(first: FirstResult, head: Head, batch: BatchInput, balances: Standing) -> Outcome:
    """Work out the batch's first version from these claims and balances: it must be the one in the proof above."""
    original = replace(batch, units=first.units, version=1)
    frozen = freeze([original], head.terms)
    if frozen.digests[0] != first.input_digest:
        raise Differs(
            "input",
            "The claims are not those of the batch in the proof above; no correction or change by hand alters them.",
        )
    outcome = share_out_by_reference(original, balances, head.terms, head.seed)
    result = {
        "awards": dict(zip(batch.ids, outcome.awards, strict=True)),
        "closing": dict(zip(batch.ids, outcome.closing, strict=False)),
        "input_digest": first.input_digest,
        "opening": dict(zip(batch.ids, outcome.opening, strict=False)),
        "previous": first.previous,
        "seed": head.seed.hex(),
    }
    if remembers(head.terms):
        result["entitled"] = dict(zip(batch.ids, outcome.entitled, strict=True))
    if text_digest(canonical(result).decode()) != first.link:
        raise Differs("opening", "This does not start from the balances that the batch opened with.")
    return outcome


def _check_result(fields: Fields, found: Correction) -> None:
    for name, expected in correction_result(found).items():
        if fields.values[name] != expected:
            raise Differs(_name_of(name), f"“{name}” is not what the rule gives from the pieces handed over up.")
    if fields.text("input_digest") != found.input_digest:
        raise Differs("input", "The frozen input is not the one that was digested.")
    if fields.text("result_digest") != found.link:
        raise Differs("chain", "The result digest does not follow from this result and the one before it.")


def _name_of(name: str) -> str:
    return {"awards": "award"}.get(name, name)


def whole_column(fields: Fields, name: str, batch: BatchInput) -> list[int]:
    """Read one number for each claim of a batch."""
    inside = fields.inner(name)
    inside.only(batch.ids)
    for claim in batch.ids:
        if claim not in inside.values:
            raise Differs(name, f"“{name}” has no entry for this claim.", claim)
    return [inside.whole(claim, least=-(2**53 - 1)) for claim in batch.ids]

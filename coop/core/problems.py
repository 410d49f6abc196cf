"""Reads the problems that `coop solve` answers, and refuses a malformed one with a code, a sentence and a path."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coop.core.claims import MEMORIES, PATHS, Claim, Row, Terms
from coop.core.errors import RuleBroken
from coop.core.fields import Fields, fields_of
from coop.core.network_problems import FlowProblem, PickingProblem, flow_problem, picking_problem
from coop.core.rules import DEFAULT_ROUNDING
from coop.core.tickets import NO_SEED

MOST_CLAIMS = 100_000_000
MOST_BATCHES = 100_000
MOST_ROWS = 10_000
LOTTERY_WEIGHT = 32_767

ORDER_RULES = ("lots", "lottery", "priority", "random_arrival", "leximin_strict")
CLAIM_FIELDS = ("id", "weight", "request", "cap", "pack", "min", "tier", "time", "tolerance", "rows")


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """Share out one batch by one rule; `rounding` is "" where the rule has none."""

    rule: str
    rounding: str
    basis: str
    use_tolerance: bool
    batch_id: str
    units: int
    seed: bytes
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class SeasonProblem:
    """Share out batches in order by `cea/standing`, from empty balances."""

    terms: Terms
    batches: tuple[BatchProblem, ...]


@dataclass(frozen=True, slots=True)
class PackProblem:
    """Size the order to the artisan."""

    quantity: int
    tolerance: int
    pack: int
    minimum: int


@dataclass(frozen=True, slots=True)
class TicketProblem:
    seed: bytes
    batch_id: str
    claim_id: str


@dataclass(frozen=True, slots=True)
class SipHashProblem:
    key: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class DigestProblem:
    content: Any


Problem = (
    BatchProblem
    | SeasonProblem
    | FlowProblem
    | PickingProblem
    | PackProblem
    | TicketProblem
    | SipHashProblem
    | DigestProblem
)


def read_problem(value: Any) -> Problem:
    """Read one problem of a file; raises `RuleBroken` with the path of the field that is wrong."""
    fields = fields_of(value, "")
    if not isinstance(fields.values.get("id"), str | int | None):
        raise RuleBroken("not_text", "“id” must be text or a whole number.", field="id")
    rule = fields.text("rule")
    if rule not in READERS:
        raise RuleBroken("unknown_rule", f"There is no rule “{rule}”; there are {', '.join(READERS)}.", field="rule")
    return READERS[rule](fields)


def _batch_problem(fields: Fields) -> BatchProblem:
    rule = fields.text("rule")
    params = fields.inner("params", needed=False)
    params.only(_params_of(rule))
    rounding, basis = "", ""
    if rule in DEFAULT_ROUNDING:
        rounding = params.choice("rounding", _roundings(rule), DEFAULT_ROUNDING[rule], "unknown_rounding")
    if rule == "proportional":
        basis = params.choice("basis", ("request", "weighted_request"), "request", "unknown_basis")
    batch = fields.inner("batch")
    batch.only(("id", "units", "seed"))
    return BatchProblem(
        rule,
        rounding,
        basis,
        params.flag("use_tolerance", default=True),
        batch.identifier("id"),
        batch.whole("units"),
        batch.hexadecimal("seed", NO_SEED, length=32),
        _claims(fields, rule),
    )


def _season_problem(fields: Fields) -> SeasonProblem:
    params = fields.inner("params", needed=False)
    params.only(("memory", "credit_cap", "seed"))
    memory = params.choice("memory", MEMORIES, "rounding", "unknown_memory")
    cap = params.whole_or_none("credit_cap")
    if cap is not None and memory != "season":
        sentence = "A credit cap belongs to the memory `season` only; leave it out."
        raise RuleBroken("credit_cap_not_allowed", sentence, field=params.at("credit_cap"))
    terms = Terms(memory, cap)
    seed = params.hexadecimal("seed", NO_SEED, length=32)
    batches = []
    for batch in fields.inners("batches", most=MOST_BATCHES):
        batch.only(("id", "units", "seed", "claims"))
        batches.append(
            BatchProblem(
                "season",
                "standing",
                "",
                True,
                batch.identifier("id"),
                batch.whole("units"),
                batch.hexadecimal("seed", seed, length=32),
                _claims(batch, "season"),
            )
        )
    return SeasonProblem(terms, tuple(batches))


def _pack_problem(fields: Fields) -> PackProblem:
    params = fields.inner("params")
    params.only(("quantity", "tolerance", "pack", "minimum"))
    return PackProblem(
        params.whole("quantity"),
        params.whole("tolerance", 0),
        params.whole("pack", 1, least=1),
        params.whole("minimum", 0),
    )


def _ticket_problem(fields: Fields) -> TicketProblem:
    params = fields.inner("params")
    params.only(("seed", "batch", "claim"))
    seed = params.hexadecimal("seed", NO_SEED, length=32)
    return TicketProblem(seed, params.identifier("batch"), params.identifier("claim"))


def _siphash_problem(fields: Fields) -> SipHashProblem:
    params = fields.inner("params")
    params.only(("key", "message"))
    return SipHashProblem(params.hexadecimal("key", length=16), params.hexadecimal("message"))


def _digest_problem(fields: Fields) -> DigestProblem:
    if "input" not in fields.values:
        raise RuleBroken("missing_field", "“input” is missing.", field="input")
    return DigestProblem(fields.values["input"])


def _claims(fields: Fields, rule: str) -> tuple[Claim, ...]:
    claims = tuple(_claim(claim, rule) for claim in fields.inners("claims", most=MOST_CLAIMS))
    seen: set[str] = set()
    for place, claim in enumerate(claims):
        if claim.id in seen:
            path = f"{fields.at('claims')}[{place}].id"
            raise RuleBroken("duplicate_claim", f"The claim “{claim.id}” stands twice; each id once.", field=path)
        seen.add(claim.id)
    return claims


def _claim(fields: Fields, rule: str) -> Claim:
    fields.only(CLAIM_FIELDS)
    weight = {"most": LOTTERY_WEIGHT} if rule == "lottery" else {}
    cap, minimum = fields.whole_or_none("cap"), fields.whole("min", 0)
    if cap and cap < minimum:  # a cap of 0 takes part with nothing, and no minimum matters to it
        sentence = f"The cap of {cap} is below the minimum of {minimum}; leave one out, or raise the cap."
        raise RuleBroken("cap_below_minimum", sentence, field=fields.at("cap"))
    return Claim(
        id=fields.identifier("id"),
        weight=fields.whole("weight", 1, least=1, **weight),
        request=fields.whole_or_none("request", needed="rows" not in fields.values),
        cap=cap,
        pack=fields.whole("pack", 1, least=1),
        minimum=minimum,
        tier=fields.whole("tier", 0),
        time=fields.whole("time", 0),
        tolerance=fields.whole("tolerance", 0),
        rows=tuple(_row(row) for row in fields.inners("rows", most=MOST_ROWS)) if "rows" in fields.values else (),
    )


def _row(fields: Fields) -> Row:
    fields.only(("time", "quantity", "tolerance"))
    return Row(fields.whole("time"), fields.whole("quantity"), fields.whole("tolerance", 0))


def _params_of(rule: str) -> tuple[str, ...]:
    names = {"proportional": ("rounding", "basis"), "priority": ("use_tolerance",)}
    return names.get(rule, ("rounding",) if rule in DEFAULT_ROUNDING else ())


def _roundings(rule: str) -> tuple[str, ...]:
    return (*PATHS[rule], "standing") if rule == "cea" else PATHS[rule]


READERS: dict[str, Callable[[Fields], Problem]] = {
    **dict.fromkeys((*DEFAULT_ROUNDING, *ORDER_RULES), _batch_problem),
    "season": _season_problem,
    "leximin_flow": flow_problem,
    "picking": picking_problem,
    "order_packs": _pack_problem,
    "ticket": _ticket_problem,
    "siphash": _siphash_problem,
    "digest": _digest_problem,
}

"""Answers worked problems, by the reference or by the kernel; both print the same."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeVar

from coop.core.canonical import canonical, digest
from coop.core.claims import BatchInput, Claim, Outcome, Standing, Terms
from coop.core.errors import RuleBroken
from coop.core.fields import parsed
from coop.core.order_rules import in_order, leximin_strict, lots, lottery_order, order_packs, priority, random_arrival
from coop.core.problems import (
    BatchProblem,
    DigestProblem,
    PackProblem,
    Problem,
    SeasonProblem,
    SipHashProblem,
    TicketProblem,
    read_problem,
)
from coop.core.rules import DEFAULT_ROUNDING, Path, rounded
from coop.core.standing import share_out_by_reference
from coop.core.tickets import siphash, tie_key, wheel_offset
from coop.core.tickets import ticket as draw

Engine = Literal["kernel", "reference"]
Answer = dict[str, Any]
Value = TypeVar("Value", int, str)
ShareOut = Callable[[BatchInput, Standing, Terms, bytes], Outcome]

RULES_OF_ROUNDING = {"standing": "cea/standing@1", "webster": "cea/webster@1"}


def solve_all(text: str | bytes, engine: Engine = "kernel") -> Iterator[tuple[Answer, bool]]:
    """Answer every problem of a file, in order; each answer comes with whether the problem was well formed."""
    try:
        content = parsed(text)
    except RuleBroken as refusal:
        yield refused(None, refusal), False
        return
    for value in content if isinstance(content, list) else [content]:
        try:
            yield solve(value, engine), True
        except RuleBroken as refusal:
            yield refused(value.get("id") if isinstance(value, dict) else None, refusal), False


def solve(value: Any, engine: Engine = "kernel") -> Answer:
    """Answer one parsed problem; raises `RuleBroken` where it is malformed."""
    problem = read_problem(value)
    return {"id": _shown_id(value.get("id")), **answer(problem, engine)}


def refused(problem_id: Any, refusal: RuleBroken) -> Answer:
    """Say a refusal in the form the command prints."""
    error = {"code": refusal.code, "message": refusal.sentence}
    if refusal.field:
        error["field"] = refusal.field
    return {"id": _shown_id(problem_id), "error": error}


def answer(problem: Problem, engine: Engine) -> Answer:
    match problem:
        case BatchProblem():
            return _answer_batch(problem, engine)
        case SeasonProblem():
            return _answer_season(problem, engine)
        case PackProblem(quantity, tolerance, pack, minimum):
            return {"value": order_packs(quantity, tolerance, pack, minimum)}
        case TicketProblem(seed, batch_id, claim_id):
            return {"value": str(draw(tie_key(seed, batch_id), claim_id))}
        case SipHashProblem(key, message):
            return {"value": str(siphash(key, message))}
        case DigestProblem(content):
            return {"canonical": canonical(content).decode(), "sha256": digest(content)}


def _answer_batch(problem: BatchProblem, engine: Engine) -> Answer:
    claims = sorted(problem.claims, key=lambda claim: claim.id.encode())
    limits = [claim.limit(problem.units) for claim in claims]
    if problem.rule == "random_arrival":
        fluid = random_arrival(limits, problem.units)
        return {"fluid": _in_given_order(problem.claims, claims, [str(share) for share in fluid])}
    awards, exact = _pass(problem, claims, limits, problem.units, problem.rounding, engine)
    left = problem.units - sum(awards)
    tolerances = [claim.second_limit(problem.units) for claim in claims]
    if left > 0 and problem.rule != "priority" and any(tolerances):
        more, more_exact = _pass(problem, claims, tolerances, left, "webster", engine)
        awards = [award + extra for award, extra in zip(awards, more, strict=True)]
        exact = [award + extra for award, extra in zip(exact, more_exact, strict=True)]
    answered: Answer = {"awards": _in_given_order(problem.claims, claims, awards)}
    if problem.rule in DEFAULT_ROUNDING:
        answered["fluid"] = _in_given_order(problem.claims, claims, [str(share) for share in exact])
    answered["left_over"] = problem.units - sum(awards)
    return answered


def _pass(
    problem: BatchProblem, claims: Sequence[Claim], limits: list[int], units: int, rounding: str, engine: Engine
) -> tuple[list[int], list[Fraction]]:
    """Hand out `units` up to `limits`; the second part is the divisible award, where the rule has one."""
    if problem.rule in DEFAULT_ROUNDING:
        return _along_path(problem, claims, limits, units, rounding, engine)
    key = tie_key(problem.seed, problem.batch_id)
    if problem.rule == "lottery":
        return in_order(limits, units, lottery_order(claims, key)), []
    ranks = [(draw(key, claim.id), claim.id.encode()) for claim in claims]
    if problem.rule == "priority":
        return priority(claims, units, ranks, use_tolerance=problem.use_tolerance), []
    if problem.rule == "lots":
        return lots(claims, limits, units, ranks), []
    return leximin_strict([claim.weight for claim in claims], limits, units, ranks), []


def _along_path(
    problem: BatchProblem, claims: Sequence[Claim], limits: list[int], units: int, rounding: str, engine: Engine
) -> tuple[list[int], list[Fraction]]:
    weights = [claim.weight for claim in claims]
    shares = weights
    if problem.rule == "proportional":
        shares = [w * c if problem.basis == "weighted_request" else c for w, c in zip(weights, limits, strict=True)]
    path = Path(problem.rule, shares, limits)
    exact = path.awards(min(units, sum(limits)))
    if problem.rule == "cea" and rounding in RULES_OF_ROUNDING:
        rule = RULES_OF_ROUNDING[rounding]
        batch = BatchInput(problem.batch_id, units, [claim.id for claim in claims], weights, limits, rule=rule)
        terms = Terms("rounding" if rounding == "standing" else None)
        return list(_share_out(engine)(batch, Standing(), terms, problem.seed).awards), exact
    key = tie_key(problem.seed, problem.batch_id)
    ranks = [(draw(key, claim.id), claim.id.encode()) for claim in claims]
    return rounded(path, units, rounding, ranks, wheel_offset(problem.seed, problem.batch_id)), exact


def _answer_season(problem: SeasonProblem, engine: Engine) -> Answer:
    share_out = _share_out(engine)
    standing = Standing()
    steps: list[dict[str, int]] = []
    totals: dict[str, int] = {}
    worst = 0
    for batch in problem.batches:
        claims = sorted(batch.claims, key=lambda claim: claim.id.encode())
        outcome = share_out(_columns(batch, claims), standing, problem.terms, batch.seed)
        ids = [claim.id for claim in claims]
        standing.add(ids, outcome)
        steps.append(_in_given_order(batch.claims, claims, outcome.awards))
        for claim, award in steps[-1].items():
            totals[claim] = totals.get(claim, 0) + award
        worst = max([worst, *(abs(balance) for balance in outcome.closing)])
    owed = {claim: standing.owed.get(claim, 0) for claim in totals}
    return {"steps": steps, "totals": totals, "owed_micro": owed, "worst_owed_micro": worst}


def _columns(batch: BatchProblem, claims: Sequence[Claim]) -> BatchInput:
    return BatchInput(
        batch.batch_id,
        batch.units,
        [claim.id for claim in claims],
        [claim.weight for claim in claims],
        [claim.limit(batch.units) for claim in claims],
        [claim.second_limit(batch.units) for claim in claims],
    )


def _share_out(engine: Engine) -> ShareOut:
    if engine == "reference":
        return share_out_by_reference
    from coop.core.sharing import share_out_batch  # noqa: PLC0415 - the reference runs without numpy

    return share_out_batch


def _in_given_order(given: Sequence[Claim], ordered: Sequence[Claim], values: Sequence[Value]) -> dict[str, Value]:
    by_id = {claim.id: value for claim, value in zip(ordered, values, strict=True)}
    return {claim.id: by_id[claim.id] for claim in given}


def _shown_id(problem_id: Any) -> str | int | None:
    return problem_id if isinstance(problem_id, str | int) else None

"""Answers worked problems, by the reference or by the kernel; both print the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal, TypeVar

from coop.core.canonical import canonical, digest
from coop.core.claims import (
    LOTS_RULE,
    PRIORITY_RULE,
    STANDING_RULE,
    BatchInput,
    Claim,
    Outcome,
    Standing,
    Terms,
    parts_of,
)
from coop.core.errors import RuleBroken
from coop.core.fields import parsed
from coop.core.network_answers import answer_flow, answer_picking
from coop.core.network_problems import FlowProblem, PickingProblem
from coop.core.order_rules import leximin_strict, order_packs, random_arrival
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
from coop.core.rule_book import path_of
from coop.core.rules import DEFAULT_ROUNDING
from coop.core.standing import share_out_by_reference
from coop.core.tickets import siphash, tie_key
from coop.core.tickets import ticket as draw

Engine = Literal["kernel", "reference"]
Answer = dict[str, Any]
Value = TypeVar("Value", int, str)
ShareOut = Callable[[BatchInput, Standing, Terms, bytes], Outcome]


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
        case FlowProblem():
            return answer_flow(problem, engine)
        case PickingProblem():
            return answer_picking(problem)
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
    batch = columns_of(problem, claims)
    if problem.rule == "random_arrival":
        fluid = random_arrival(batch.requests, batch.units)
        return {"fluid": _in_given_order(problem.claims, claims, [str(share) for share in fluid])}
    if problem.rule == "leximin_strict":
        awards = _by_leximin(batch, problem.seed)
    else:
        terms = Terms("rounding" if batch.rule == STANDING_RULE else None)
        awards = list(_share_out(engine)(batch, Standing(), terms, problem.seed).awards)
    answered: Answer = {"awards": _in_given_order(problem.claims, claims, awards)}
    if problem.rule in DEFAULT_ROUNDING:
        answered["fluid"] = _in_given_order(problem.claims, claims, [str(share) for share in _divided(batch)])
    answered["left_over"] = problem.units - sum(awards)
    return answered


def _by_leximin(batch: BatchInput, seed: bytes) -> list[int]:
    key = tie_key(seed, batch.id)
    ranks = [(draw(key, claim), claim.encode()) for claim in batch.ids]
    awards = leximin_strict(batch.weights, batch.requests, batch.units, ranks)
    more = leximin_strict(batch.weights, batch.tolerances, batch.units - sum(awards), ranks)
    return [award + extra for award, extra in zip(awards, more, strict=True)]


def _divided(batch: BatchInput) -> list[Fraction]:
    """Give the divisible awards: of the wishes, and of what is taken on top."""
    name, _ = parts_of(batch.rule)
    demand = sum(batch.requests)
    exact = path_of(name, batch.weights, batch.requests).awards(min(batch.units, demand))
    left = min(max(0, batch.units - demand), sum(batch.tolerances))
    if left == 0:
        return exact
    more = path_of(name, batch.weights, batch.tolerances).awards(left)
    return [award + extra for award, extra in zip(exact, more, strict=True)]


def _answer_season(problem: SeasonProblem, engine: Engine) -> Answer:
    share_out = _share_out(engine)
    standing = Standing()
    steps: list[dict[str, int]] = []
    totals: dict[str, int] = {}
    worst = 0
    for batch in problem.batches:
        claims = sorted(batch.claims, key=lambda claim: claim.id.encode())
        outcome = share_out(columns_of(batch, claims), standing, problem.terms, batch.seed)
        ids = [claim.id for claim in claims]
        standing.add(ids, outcome)
        steps.append(_in_given_order(batch.claims, claims, outcome.awards))
        for claim, award in steps[-1].items():
            totals[claim] = totals.get(claim, 0) + award
        worst = max([worst, *(abs(balance) for balance in outcome.closing)])
    owed = {claim: standing.owed.get(claim, 0) for claim in totals}
    return {"steps": steps, "totals": totals, "owed_micro": owed, "worst_owed_micro": worst}


def columns_of(problem: BatchProblem, claims: Sequence[Claim]) -> BatchInput:
    """Put a problem's claims, in rising order of their ids' bytes, in the columns that the engines take."""
    units = problem.units
    rule = rule_of(problem)
    batch = BatchInput(
        id=problem.batch_id,
        units=units,
        ids=[claim.id for claim in claims],
        weights=[claim.weight for claim in claims],
        requests=[claim.limit(units) for claim in claims],
        tolerances=[claim.second_limit(units) for claim in claims],
        rule=rule,
    )
    if rule == LOTS_RULE:
        return replace(batch, packs=[claim.pack for claim in claims], minimums=[claim.minimum for claim in claims])
    if rule != PRIORITY_RULE:
        return batch
    rows = [claim.dated_rows(units, use_tolerance=problem.use_tolerance) for claim in claims]
    return replace(
        batch,
        requests=[sum(row.quantity for row in own) for own in rows],
        tolerances=[sum(row.tolerance for row in own) for own in rows],
        tiers=[claim.tier for claim in claims],
        rows=rows,
    )


def rule_of(problem: BatchProblem) -> str:
    """Give the full id of the rule that a problem asks for."""
    if problem.rule == "season":
        return STANDING_RULE
    path = "weighted_proportional" if problem.basis == "weighted_request" else problem.rule
    return f"{path}/{problem.rounding}@1" if problem.rounding else f"{path}@1"


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

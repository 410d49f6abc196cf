"""What the page shows that lays the offered rules side by side on one pool's frozen inputs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.allocation.models import AllocationRun
from coop.allocation.queries import problem_of_run
from coop.core.claims import OFFERED_RULES
from coop.core.comparison import STEPS, USUAL, Change, UnderRule, changes, compare
from coop.core.outcome import batch_numbers
from coop.core.pool_run import PoolProblem, share_out
from coop.pools.models import Pool
from coop.seasons.models import Season
from coop.sharing.queries import Batches, Figures, PoolFacts, batches_of, card_of, pool_facts, previewed

CHANGES_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule makes of the pool; `more`, `fewer` and `moved` are against the rule in force."""

    rule: str
    in_force: bool
    figures: Figures
    more: int
    fewer: int
    moved: int


@dataclass(frozen=True, slots=True)
class FillClass:
    """A column of a histogram: how many members receive this part of their wishes."""

    label: str
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A household that the other rule would serve otherwise, in pieces wished for."""

    household_id: int
    name: str
    wished: int
    received: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class ComparePage:
    """`beside` is the rule that the histogram and the changes set against the one in force; `left_out` can be asked for."""

    pool: PoolFacts
    rules: list[RuleRow]
    beside: str
    left_out: list[str]
    in_force: list[FillClass]
    otherwise: list[FillClass]
    changes: list[ChangeRow]
    changes_more: int
    own_rules: int
    batches: Batches
    input_digest: str


def compare_page(
    session: Session,
    pool_id: int,
    beside: str,
    sought: str,
    *,
    number: int,
    at: datetime,
    today: date,
    field_key: bytes,
) -> ComparePage | None:
    """Return what each offered rule makes of a pool's frozen inputs, or its latest ones; None before orders opened."""
    facts = pool_facts(session, pool_id, at=at, today=today)
    if facts.state == "planned":
        return None
    problem = _problem(session, facts, field_key)
    shared = share_out(problem)
    asked = [beside] if beside in OFFERED_RULES and beside not in USUAL else []
    ruled = compare(problem, shared, [*USUAL, *asked])
    chosen = next((under for under in ruled[1:] if under.rule == beside), ruled[1])
    turned = changes(ruled[0].fills, chosen.fills)
    made = sum(claimed.batch.units for claimed in problem.batches)
    return ComparePage(
        pool=facts,
        rules=[_row(made, under) for under in ruled],
        beside=chosen.rule,
        left_out=[rule for rule in OFFERED_RULES if rule not in {under.rule for under in ruled}],
        in_force=_classes(ruled[0]),
        otherwise=_classes(chosen),
        changes=_named(session, turned[:CHANGES_NAMED]),
        changes_more=max(0, len(turned) - CHANGES_NAMED),
        own_rules=sum(claimed.batch.rule != problem.rule for claimed in problem.batches),
        batches=batches_of(session, pool_id, batch_numbers(problem, shared), sought, number=number),
        input_digest=shared.input_digest,
    )


def _problem(session: Session, facts: PoolFacts, field_key: bytes) -> PoolProblem:
    if facts.run_id is None:
        return previewed(session, facts, field_key)
    # the pool and its season come along, so that nobody asks for them again
    found = (
        select(AllocationRun, Pool, Season)
        .join(Pool, Pool.id == AllocationRun.pool_id)
        .join(Season, Season.id == Pool.season_id)
    )
    run, *kept = session.execute(found.where(AllocationRun.id == facts.run_id)).one()
    assert kept, "held until the problem is read"
    return problem_of_run(session, run, field_key)


def _row(made: int, under: UnderRule) -> RuleRow:
    return RuleRow(under.rule, under.in_force, card_of(made, under).figures, under.more, under.fewer, under.moved)


def _classes(under: UnderRule) -> list[FillClass]:
    labels = [f"{100 // STEPS * tenth} %" for tenth in range(STEPS)] + ["all"]
    return [FillClass(label, many, f"{many:,}") for label, many in zip(labels, under.histogram, strict=True)]


def _named(session: Session, rows: list[Change]) -> list[ChangeRow]:
    found = session.execute(
        text("SELECT id, name FROM household WHERE id = ANY(:households)"),
        {"households": [row.household_id for row in rows]},
    )
    names = {row.id: row.name for row in found}
    return [ChangeRow(row.household_id, names[row.household_id], *row[1:]) for row in rows]

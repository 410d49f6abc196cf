"""What comes of sharing out a pool, before anybody asks for it: the same arithmetic on the same claims, nothing stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.allocation.queries import pool_problem, terms_of
from coop.core.comparison import USUAL, UnderRule, compare
from coop.core.errors import NotFound, RuleBroken
from coop.core.fairness import four_decimals
from coop.core.outcome import BatchNumbers, Served, batch_numbers, with_yields
from coop.core.paging import Slice, anywhere
from coop.core.pool_run import PoolProblem, frozen_inputs, share_out
from coop.core.pool_state import Step, pool_state, steps_of
from coop.pools.models import Pool
from coop.seasons.models import Season

A_PAGE: Final = 50
MISSING_NAMED: Final = 10
BESIDE: Final = 2


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """The pool whose sharing out a page is about."""

    id: int
    name: str
    season: str
    state: str
    closes_at: datetime
    rule: str
    memory: str
    in_force_since: datetime | None
    batches: int
    yields_in: int
    households: int
    steps: list[Step]
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """An outcome in a few numbers; `lowest` is the least part of a wish that a line got of a batch that was made, in percent."""

    pieces: int
    made: int
    members: int
    fully_served: int
    lowest: int
    jain: str

    @property
    def shelf(self) -> int:
        """Pieces beyond all that members would take."""
        return self.made - self.pieces


@dataclass(frozen=True, slots=True)
class BatchRow:
    offering_id: int
    product: str
    lot_number: str
    maker: str
    unit: str
    rule: str | None
    is_reported: bool
    made: int
    wanted: int
    awarded: int
    extra: int
    short: int
    shelf: int


@dataclass(frozen=True, slots=True)
class Batches:
    """Fifty batches of an outcome, those that are shortest first."""

    sought: str
    rows: list[BatchRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class RuleCard:
    """What a rule makes of the same orders and yields."""

    rule: str
    in_force: bool
    figures: Figures


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """`cards` has the rule in force first; it is empty for a pool that never opened."""

    pool: PoolFacts
    cards: list[RuleCard]
    batches: Batches | None
    missing: list[str]
    missing_more: int
    waits_for: str | None
    input_digest: str


_POOL = text("""
SELECT p.id, p.name, s.name AS season, p.opened_at, p.closed_at, p.closes_at, p.pickup_on, s.rule, s.memory,
       (SELECT min(opened_at) FROM pool WHERE season_id = s.id) AS in_force_since,
       (SELECT count(*) FROM offering f WHERE f.pool_id = p.id) AS batches,
       (SELECT count(*) FROM offering f WHERE f.pool_id = p.id
           AND EXISTS (SELECT 1 FROM yield_report y WHERE y.batch_id = f.batch_id)) AS yields_in,
       (SELECT count(*) FROM household_order o WHERE o.pool_id = p.id) AS households,
       EXISTS (SELECT 1 FROM household_order o JOIN hand_over h ON h.order_id = o.id WHERE o.pool_id = p.id) AS handed,
       r.id AS run_id, r.state AS run_state
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN LATERAL (
    SELECT id, state FROM allocation_run WHERE pool_id = p.id AND state NOT IN ('failed', 'cancelled', 'superseded')
     ORDER BY id DESC LIMIT 1) r ON true
 WHERE p.id = :pool
""")


def pool_facts(session: Session, pool_id: int, *, at: datetime, today: date) -> PoolFacts:
    """Return a pool and where it stands on the way from orders to pickup."""
    row = session.execute(_POOL, {"pool": pool_id}).first()
    if row is None:
        raise NotFound
    state = pool_state(
        row.opened_at,
        row.closed_at,
        row.run_state,
        closes_at=row.closes_at,
        at=at,
        hand_over_begun=row.handed,
        pickup_on=row.pickup_on,
        today=today,
    )
    kept = {name: getattr(row, name) for name in PoolFacts.__slots__ if name not in {"state", "steps"}}
    steps = steps_of(
        state, row.run_state, is_closed=row.closed_at is not None, yields_in=row.yields_in, batches=row.batches
    )
    return PoolFacts(state=state, steps=steps, **kept)


_REPORTED = text("""
SELECT f.id, y.pieces, b.planned, d.name || ', lot ' || b.lot_number AS named
  FROM offering f
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
 WHERE f.pool_id = :pool
 ORDER BY d.name, b.lot_number
""")


def preview_page(
    session: Session, pool_id: int, sought: str, *, number: int, at: datetime, today: date, field_key: bytes
) -> PreviewPage:
    """Return what sharing out would come to now, under the rule in force and beside it the others."""
    facts = pool_facts(session, pool_id, at=at, today=today)
    reported = session.execute(_REPORTED, {"pool": pool_id}).all()
    missing = [row.named for row in reported if row.pieces is None]
    batches, cards, digest = None, [], ""
    if facts.state != "planned":
        pieces = _pieces(reported, facts)
        problem = preview(session, pool_id, field_key, pieces)
        shared = share_out(problem)
        made = sum(claimed.batch.units for claimed in problem.batches)
        beside = [rule for rule in USUAL if rule != problem.rule][:BESIDE]
        cards = [card_of(made, under) for under in compare(problem, shared, beside)]
        batches = batches_of(session, pool_id, batch_numbers(problem, shared), sought, number=number)
        digest = shared.input_digest
    return PreviewPage(
        pool=facts,
        cards=cards,
        batches=batches,
        missing=missing[:MISSING_NAMED],
        missing_more=max(0, len(missing) - MISSING_NAMED),
        waits_for=session.scalar(_EARLIER, {"pool": pool_id}),
        input_digest=digest,
    )


def refuse_other_inputs(session: Session, pool_id: int, seen: str, *, field_key: bytes) -> None:
    """Refuse to share out what is not what was looked at: `inputs_changed`. `seen` is the input digest of the preview."""
    reported = session.execute(_REPORTED, {"pool": pool_id}).all()
    now = preview(session, pool_id, field_key, {row.id: _expected(row, is_open=False) for row in reported})
    if frozen_inputs(now).digest != seen:
        raise RuleBroken("inputs_changed", "A yield or a wish changed since you looked. This is what would come of it now; look, and ask again.")  # fmt: skip


def previewed(session: Session, facts: PoolFacts, field_key: bytes) -> PoolProblem:
    """Return the problem that sharing out a pool now would come from, with the latest yields."""
    reported = session.execute(_REPORTED, {"pool": facts.id}).all()
    return preview(session, facts.id, field_key, _pieces(reported, facts))


def _pieces(reported: Sequence[Any], facts: PoolFacts) -> dict[int, int]:
    return {row.id: _expected(row, is_open=facts.state == "open") for row in reported}


def _expected(reported: Any, *, is_open: bool) -> int:
    """Give the latest yield; without one what is planned while orders are open, and nothing once they are closed."""
    without = reported.planned if is_open else 0
    return int(without if reported.pieces is None else reported.pieces)


def preview(session: Session, pool_id: int, field_key: bytes, pieces: Mapping[int, int]) -> PoolProblem:
    """Return the problem that a run asked for now would freeze, given the latest pieces by offering."""
    found = select(Pool, Season).join(Season, Season.id == Pool.season_id).where(Pool.id == pool_id)
    row = session.execute(found).first()
    if row is None:
        raise NotFound
    pool, season = row
    problem = pool_problem(session, pool, season, rule=season.rule, terms=terms_of(season), field_key=field_key)
    return with_yields(problem, pieces)


_EARLIER = text("""
SELECT e.name FROM pool e JOIN pool p ON p.season_id = e.season_id AND p.id = :pool
 WHERE e.opened_at IS NOT NULL AND (e.closes_at, e.id) < (p.closes_at, p.id)
   AND NOT EXISTS (SELECT 1 FROM allocation_run r WHERE r.pool_id = e.id AND r.state = 'published')
 ORDER BY e.closes_at, e.id LIMIT 1
""")


def card_of(made: int, under: UnderRule) -> RuleCard:
    """Put a rule's outcome in a few numbers."""
    served = Served(under.members, under.fully_served)
    figures = figures_of(made, under.pieces, served, four_decimals(under.lowest), four_decimals(under.jain))
    return RuleCard(under.rule, under.in_force, figures)


def figures_of(made: int, pieces: int, served: Served, lowest: str, jain: str) -> Figures:
    """Put together an outcome's figures; `lowest` and `jain` are ratios as a run keeps them: "0.7143"."""
    return Figures(pieces, made, served.members, served.fully, int(lowest.replace(".", "")) // 100, jain)


_NAMED = text("""
SELECT f.id, d.name, b.lot_number, a.name, d.unit_many, f.rule,
       EXISTS (SELECT 1 FROM yield_report y WHERE y.batch_id = b.id)
  FROM offering f
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  JOIN artisan a ON a.id = d.artisan_id
 WHERE f.pool_id = :pool AND (:like = '%%' OR d.name ILIKE :like OR a.name ILIKE :like OR b.lot_number ILIKE :like)
 ORDER BY b.lot_number COLLATE "C"
""")


def batches_of(
    session: Session, pool_id: int, numbers: Mapping[int, BatchNumbers], sought: str, *, number: int
) -> Batches:
    """Return fifty batches with what they came to, those with most pieces short first."""
    named = list(session.execute(_NAMED, {"pool": pool_id, "like": anywhere(sought)}).all())
    named.sort(key=lambda row: -numbers[row.id].short)
    part = Slice(number, A_PAGE, len(named))
    shown = named[part.skipped : part.skipped + A_PAGE]
    return Batches(sought, [_batch_row(row, numbers[row.id]) for row in shown], part)


def _batch_row(row: Any, came_to: BatchNumbers) -> BatchRow:
    counted = {name: getattr(came_to, name) for name in ("made", "wanted", "awarded", "extra", "short", "shelf")}
    return BatchRow(*row, **counted)

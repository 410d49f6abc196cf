"""An allocation run: how far the worker is, and the outcome as it was frozen."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import NotFound
from coop.core.fairness import four_decimals
from coop.core.outcome import BatchNumbers, Served
from coop.sharing.queries import Batches, Figures, PoolFacts, batches_of, figures_of, pool_facts

DELAYED_AFTER: Final = timedelta(seconds=15)
"""A worker takes a job within a second; after this long we say that something keeps it."""

UNDER_WAY: Final = ("requested", "publishing")


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """How far the worker is; `is_delayed` where none took the job for a while."""

    run_id: int
    pool_id: int
    state: str
    since: datetime
    tries: int
    is_delayed: bool
    failure: str | None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state not in UNDER_WAY


@dataclass(frozen=True, slots=True)
class RunPage:
    """`changed_yields` counts batches whose yield was corrected after this run froze it.

    `successor_id` is the run that counts instead of this one, `correction_id` the correction that made this one.
    """

    id: int
    pool: PoolFacts
    progress: ProgressPage
    state: str
    rule: str
    requested_at: datetime
    requested_by: str
    published_at: datetime | None
    published_by: str
    input_digest: str | None
    result_digest: str | None
    put_aside: str
    figures: Figures | None
    batches: Batches | None
    changed_yields: int
    overrides_waiting: int
    version: int
    successor_id: int | None
    correction_id: int | None


_RUN = text("""
SELECT r.*, coalesce(a.name, 'the command line') AS asked_by, coalesce(p.name, 'the command line') AS decided_by,
       coalesce((SELECT detail ->> 'reason' FROM audit_record WHERE subject_kind = 'allocation_run' AND subject_id = r.id
                  AND act = 'cancel_allocation' LIMIT 1), '') AS put_aside,
       (SELECT id FROM allocation_run n WHERE r.state = 'superseded' AND n.pool_id = r.pool_id AND n.state = 'published') AS successor_id,
       (SELECT id FROM correction c WHERE c.new_run_id = r.id) AS correction_id
  FROM allocation_run r
  LEFT JOIN person a ON a.id = r.requested_by
  LEFT JOIN person p ON p.id = r.published_by
 WHERE r.id = :run
""")


def progress_page(session: Session, run_id: int, *, at: datetime) -> ProgressPage:
    """Return how far the worker is with a run."""
    return _progress(session, _run(session, run_id), at=at)


def run_page(session: Session, run_id: int, sought: str, *, number: int, at: datetime, today: date) -> RunPage:
    """Return a run with what its batches came to, fifty a page."""
    run = _run(session, run_id)
    figures, batches = None, None
    if run.state in {"proposed", "published"}:
        numbers = _numbers(session, run)
        figures = _figures(session, run, sum(each.made for each in numbers.values()))
        batches = batches_of(session, run.pool_id, numbers, sought, number=number)
    return RunPage(
        id=run.id,
        pool=pool_facts(session, run.pool_id, at=at, today=today),
        progress=_progress(session, run, at=at),
        state=run.state,
        rule=run.rule,
        requested_at=run.requested_at,
        requested_by=run.asked_by,
        published_at=run.published_at,
        published_by=run.decided_by,
        input_digest=run.input_digest,
        result_digest=run.result_digest,
        put_aside=run.put_aside,
        figures=figures,
        batches=batches,
        changed_yields=session.scalar(_CHANGED, {"pool": run.pool_id}) if run.state in {"proposed", "published"} else 0,
        overrides_waiting=run.overrides_waiting if run.state == "proposed" else 0,
        version=run.version,
        successor_id=run.successor_id,
        correction_id=run.correction_id,
    )


def _run(session: Session, run_id: int) -> Any:
    run = session.execute(_RUN, {"run": run_id}).first()
    if run is None:
        raise NotFound
    return run


def _progress(session: Session, run: Any, *, at: datetime) -> ProgressPage:
    job = jobs.PUBLISH_ALLOCATION if run.published_at else jobs.COMPUTE_ALLOCATION
    since = run.published_at or run.requested_at
    row = jobs.state_of(session, job, run.id) if run.state in UNDER_WAY else None
    tries = row.attempts if row else 0
    late = row is not None and tries == 0 and at - since > DELAYED_AFTER
    return ProgressPage(run.id, run.pool_id, run.state, since, tries, late, run.failure)


_NUMBERS = text("""
SELECT f.id, coalesce(r.pieces, 0) AS made, coalesce(a.wanted, 0)::bigint AS wanted, coalesce(a.awarded, 0)::bigint AS awarded,
       coalesce(a.extra, 0)::bigint AS extra
  FROM offering f
  LEFT JOIN (SELECT w.offering_id, sum(l.wish) AS wanted, sum(w.pieces) AS awarded, sum(w.extra) AS extra
               FROM award w JOIN order_line l ON l.id = w.line_id WHERE w.run_id = :run GROUP BY w.offering_id) a
         ON a.offering_id = f.id
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = f.batch_id ORDER BY version DESC LIMIT 1) r ON true
 WHERE f.pool_id = :pool
""")

_SERVED = text("""
SELECT count(*), count(*) FILTER (WHERE fully) FROM (
  SELECT bool_and(w.pieces >= l.wish) AS fully
    FROM award w JOIN order_line l ON l.id = w.line_id JOIN household_order o ON o.id = l.order_id
   WHERE w.run_id = :run GROUP BY o.household_id HAVING sum(l.wish) > 0) members
""")

# a choice between batches is one wish; whoever wished only for what was never made says nothing about the sharing out
_LOWEST = text("""
SELECT coalesce(floor(10000 * min(least(got, wish)::numeric / wish)), 10000)::bigint FROM (
  SELECT sum(w.pieces) AS got, max(l.wish) AS wish
    FROM award w JOIN order_line l ON l.id = w.line_id JOIN offering f ON f.id = w.offering_id
   WHERE w.run_id = :run AND l.wish > 0
   GROUP BY l.order_id, l.choice, CASE WHEN l.choice IS NULL THEN l.id END
  HAVING bool_or((SELECT pieces FROM release WHERE batch_id = f.batch_id ORDER BY version DESC LIMIT 1) > 0)) wishes
""")

_CHANGED = text("""
SELECT count(*) FROM offering f
  CROSS JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = f.batch_id ORDER BY n DESC LIMIT 1) y
  CROSS JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = f.batch_id ORDER BY version DESC LIMIT 1) r
 WHERE f.pool_id = :pool AND y.pieces <> r.pieces
""")


def _numbers(session: Session, run: Any) -> dict[int, BatchNumbers]:
    rows = session.execute(_NUMBERS, {"run": run.id, "pool": run.pool_id})
    return {row.id: BatchNumbers(row.made, row.wanted, row.awarded, row.extra) for row in rows}


def _figures(session: Session, run: Any, made: int) -> Figures:
    served = Served(*session.execute(_SERVED, {"run": run.id}).one())
    lowest = Fraction(session.execute(_LOWEST, {"run": run.id}).scalar_one(), 10_000)
    return figures_of(made, run.figures["pieces"], served, four_decimals(lowest), run.figures["jain"])

"""The lines of one batch in an outcome, what the rule gave each and what was changed by hand, and the changes of a run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice, anywhere

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a batch; `computed` is what the rule gave, `waiting` what somebody proposes instead."""

    line_id: int
    household: str
    wish: int
    up_to: int
    computed: int
    pieces: int
    waiting: int | None

    @property
    def is_changed(self) -> bool:
        return self.pieces != self.computed


@dataclass(frozen=True, slots=True)
class LinesPage:
    run_id: int
    pool: str
    offering_id: int
    product: str
    lot_number: str
    may_change: bool
    made: int
    awarded: int
    sought: str
    rows: list[LineRow]
    part: Slice

    @property
    def left(self) -> int:
        return self.made - self.awarded


@dataclass(frozen=True, slots=True)
class OverridePage:
    """One line about to be changed."""

    run_id: int
    line_id: int
    offering_id: int
    pool: str
    product: str
    household: str
    wish: int
    up_to: int
    computed: int
    pieces: int
    left: int


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """A change by hand; `is_own` where the viewer made it, `is_of_own` where it is of the viewer's household."""

    id: int
    household: str
    product: str
    offering_id: int
    computed: int
    pieces: int
    reason: str
    state: str
    made_by: str
    made_at: datetime
    decided_by: str
    is_own: bool
    is_of_own: bool


@dataclass(frozen=True, slots=True)
class OverridesPage:
    run_id: int
    pool: str
    may_change: bool
    rows: list[OverrideRow]
    part: Slice


_BATCH = text("""
SELECT r.id AS run_id, r.state, p.name AS pool, f.id AS offering_id, d.name AS product, b.lot_number,
       coalesce((SELECT pieces FROM release WHERE batch_id = b.id ORDER BY version DESC LIMIT 1), 0) AS made,
       (SELECT coalesce(sum(pieces), 0)::bigint FROM award a WHERE a.run_id = r.id AND a.offering_id = f.id) AS awarded
  FROM allocation_run r JOIN pool p ON p.id = r.pool_id
  JOIN offering f ON f.pool_id = p.id JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id
 WHERE r.id = :run AND f.id = :offering
""")

_LINES = text("""
SELECT l.id, h.name, l.wish, l.up_to, coalesce(v.computed, a.pieces) AS computed, a.pieces, w.pieces AS waiting,
       count(*) OVER () AS total
  FROM award a JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id
  JOIN household h ON h.id = o.household_id
  LEFT JOIN award_override v ON v.run_id = a.run_id AND v.line_id = a.line_id AND v.state = 'approved'
  LEFT JOIN award_override w ON w.run_id = a.run_id AND w.line_id = a.line_id AND w.state = 'waiting'
 WHERE a.run_id = :run AND a.offering_id = :offering AND (:like = '%%' OR h.name ILIKE :like)
 ORDER BY h.name, l.id LIMIT :most OFFSET :skipped
""")

_LINE = text("""
SELECT a.offering_id, h.name AS household, l.wish, l.up_to, coalesce(v.computed, a.pieces) AS computed, a.pieces
  FROM award a JOIN order_line l ON l.id = a.line_id JOIN household_order o ON o.id = l.order_id
  JOIN household h ON h.id = o.household_id
  LEFT JOIN award_override v ON v.run_id = a.run_id AND v.line_id = a.line_id AND v.state = 'approved'
 WHERE a.run_id = :run AND a.line_id = :line
""")

_OVERRIDES = text("""
SELECT v.id, h.name, d.name, v.offering_id, v.computed, v.pieces, v.reason, v.state,
       coalesce(m.name, 'the command line'), v.made_at, coalesce(x.name, ''), v.made_by = :person,
       EXISTS (SELECT FROM belonging g WHERE g.household_id = h.id AND g.person_id = :person AND g.ended_at IS NULL),
       count(*) OVER () AS total
  FROM award_override v JOIN order_line l ON l.id = v.line_id JOIN household_order o ON o.id = l.order_id
  JOIN household h ON h.id = o.household_id
  JOIN offering f ON f.id = v.offering_id JOIN product d ON d.id = f.product_id
  LEFT JOIN person m ON m.id = v.made_by LEFT JOIN person x ON x.id = v.decided_by
 WHERE v.run_id = :run
 ORDER BY v.state <> 'waiting', v.id DESC LIMIT :most OFFSET :skipped
""")

_RUN = text("""
SELECT r.state, p.name AS pool FROM allocation_run r JOIN pool p ON p.id = r.pool_id WHERE r.id = :run
""")


def lines_page(session: Session, run_id: int, offering_id: int, sought: str, *, number: int) -> LinesPage:
    """Return the lines of a batch in an outcome, fifty a page."""
    batch = _batch(session, run_id, offering_id)
    asked = {"run": run_id, "offering": offering_id, "like": anywhere(sought)}
    rows = session.execute(_LINES, asked | {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    return LinesPage(
        run_id=run_id,
        pool=batch.pool,
        offering_id=offering_id,
        product=batch.product,
        lot_number=batch.lot_number,
        may_change=batch.state == "proposed",
        made=batch.made,
        awarded=batch.awarded,
        sought=sought,
        rows=[LineRow(*row[:7]) for row in rows],
        part=Slice(number, A_PAGE, rows[0].total if rows else 0),
    )


def override_page(session: Session, run_id: int, line_id: int) -> OverridePage:
    """Return a line whose award somebody wants to change."""
    line = session.execute(_LINE, {"run": run_id, "line": line_id}).first()
    if line is None:
        raise NotFound
    batch = _batch(session, run_id, line.offering_id)
    return OverridePage(
        run_id=run_id,
        line_id=line_id,
        offering_id=line.offering_id,
        pool=batch.pool,
        product=batch.product,
        household=line.household,
        wish=line.wish,
        up_to=line.up_to,
        computed=line.computed,
        pieces=line.pieces,
        left=batch.made - batch.awarded,
    )


def overrides_page(session: Session, run_id: int, person_id: int, *, number: int) -> OverridesPage:
    """Return what was changed by hand in a run, what waits first."""
    run = session.execute(_RUN, {"run": run_id}).first()
    if run is None:
        raise NotFound
    asked = {"run": run_id, "person": person_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    rows = session.execute(_OVERRIDES, asked).all()
    part = Slice(number, A_PAGE, rows[0].total if rows else 0)
    return OverridesPage(run_id, run.pool, run.state == "proposed", [OverrideRow(*row[:13]) for row in rows], part)


def run_of_override(session: Session, override_id: int) -> int:
    """Return the run that a change belongs to."""
    found = session.scalar(text("SELECT run_id FROM award_override WHERE id = :id"), {"id": override_id})
    if found is None:
        raise NotFound
    return int(found)


def _batch(session: Session, run_id: int, offering_id: int) -> Any:
    batch = session.execute(_BATCH, {"run": run_id, "offering": offering_id}).first()
    if batch is None:
        raise NotFound
    return batch

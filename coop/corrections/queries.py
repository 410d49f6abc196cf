"""What a corrected yield changes: the page of one correction, and which batches of a pool could be corrected."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.errors import NotFound
from coop.core.paging import Slice

A_PAGE: Final = 50
UNDER_WAY: Final = ("requested", "publishing")
DELAYED_AFTER: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A household's line: pieces before and after, of them fetched already; `minor` is released (+) or to be held (-)."""

    household: str
    handed: int
    before: int
    pieces: int
    minor: int

    @property
    def change(self) -> int:
        return self.pieces - self.before


@dataclass(frozen=True, slots=True)
class CorrectionProgress:
    """How far the worker is with a correction; `is_delayed` where none took the job for a while."""

    id: int
    state: str
    since: datetime
    tries: int
    is_delayed: bool

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state not in UNDER_WAY


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    id: int
    pool_id: int
    pool: str
    run_id: int
    new_run_id: int | None
    product: str
    lot_number: str
    units_before: int
    units: int
    reason: str
    state: str
    failure: str | None
    put_aside: str
    requested_by: str
    requested_at: datetime
    published_at: datetime | None
    published_by: str
    result_digest: str | None
    progress: CorrectionProgress
    lines: list[ChangedLine]
    part: Slice

    @property
    def changed(self) -> list[ChangedLine]:
        """The lines whose pieces change."""
        return [line for line in self.lines if line.change]

    @property
    def gaining(self) -> list[ChangedLine]:
        return [line for line in self.lines if line.change > 0]

    @property
    def losing(self) -> list[ChangedLine]:
        return [line for line in self.lines if line.change < 0]

    @property
    def released_minor(self) -> int:
        """What goes back to credit."""
        return sum(line.minor for line in self.losing)

    @property
    def held_minor(self) -> int:
        """What is held in addition, as far as each household's credit goes."""
        return -sum(line.minor for line in self.gaining)

    @property
    def handed(self) -> int:
        return sum(line.handed for line in self.lines)

    @property
    def shown(self) -> list[ChangedLine]:
        """Fifty of the lines that change, those that lose most first."""
        ordered = sorted(self.changed, key=lambda line: line.change)
        return ordered[self.part.skipped : self.part.skipped + A_PAGE]


@dataclass(frozen=True, slots=True)
class Correctable:
    """A batch of a published pool whose latest report is not what was shared out."""

    offering_id: int
    product: str
    lot_number: str
    units_before: int
    units: int
    reason: str


@dataclass(frozen=True, slots=True)
class PastCorrection:
    id: int
    product: str
    units_before: int
    units: int
    state: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionsPage:
    """A pool's corrections: what could be corrected, and what was; `under_way` is the one that is not decided yet."""

    pool_id: int
    pool: str
    season: str
    run_id: int | None
    correctable: list[Correctable]
    past: list[PastCorrection]

    @property
    def under_way(self) -> PastCorrection | None:
        return next((one for one in self.past if one.state in {*UNDER_WAY, "proposed"}), None)


# each line of the batch with what it had and what it gets; once published, what it got after all
LINES = text("""
SELECT o.household_id, h.name AS household, l.id AS line_id, p.name AS product, coalesce(y.reason, '') AS reason,
       c.floor AS handed, a.pieces AS before, coalesce(n.pieces, c.pieces) AS pieces,
       (a.pieces - coalesce(n.pieces, c.pieces)) * (l.unit_minor + l.deposit_minor) AS minor
  FROM correction k
  JOIN correction_line c ON c.correction_id = k.id
  JOIN order_line l ON l.id = c.line_id
  JOIN household_order o ON o.id = l.order_id
  JOIN household h ON h.id = o.household_id
  JOIN offering f ON f.id = k.offering_id
  JOIN product p ON p.id = f.product_id
  JOIN award a ON a.run_id = k.run_id AND a.offering_id = k.offering_id AND a.line_id = c.line_id
  LEFT JOIN award n ON n.run_id = k.new_run_id AND n.offering_id = k.offering_id AND n.line_id = c.line_id
  LEFT JOIN LATERAL (SELECT reason FROM yield_report WHERE batch_id = f.batch_id ORDER BY n DESC LIMIT 1) y ON true
 WHERE k.id = :correction
 ORDER BY h.name, l.id
""")

_CORRECTION = text("""
SELECT c.*, p.name AS pool, d.name AS product, b.lot_number, coalesce(y.reason, '') AS reason,
       coalesce(w.name, 'the command line') AS asked_by, coalesce(v.name, 'the command line') AS decided_by,
       coalesce((SELECT detail ->> 'reason' FROM audit_record WHERE subject_kind = 'correction' AND subject_id = c.id
                  AND act = 'cancel_correction' LIMIT 1), '') AS put_aside
  FROM correction c
  JOIN pool p ON p.id = c.pool_id
  JOIN offering f ON f.id = c.offering_id
  JOIN product d ON d.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
  LEFT JOIN LATERAL (SELECT reason FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  LEFT JOIN person w ON w.id = c.requested_by
  LEFT JOIN person v ON v.id = c.published_by
 WHERE c.id = :correction
""")

_CORRECTABLE = text("""
SELECT f.id, d.name AS product, b.lot_number, r.pieces AS before, y.pieces, coalesce(y.reason, '') AS reason
  FROM offering f
  JOIN allocation_run u ON u.pool_id = f.pool_id AND u.state = 'published'
  JOIN product d ON d.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
  CROSS JOIN LATERAL (SELECT pieces, reason FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y
  CROSS JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = b.id ORDER BY version DESC LIMIT 1) r
 WHERE f.pool_id = :pool AND y.pieces <> r.pieces
 ORDER BY b.lot_number
""")

_PAST = text("""
SELECT c.id, d.name AS product, c.units_before, c.units, c.state, c.requested_at
  FROM correction c JOIN offering f ON f.id = c.offering_id JOIN product d ON d.id = f.product_id
 WHERE c.pool_id = :pool ORDER BY c.id DESC LIMIT 50
""")


_POOL = text("""
SELECT p.id, p.name, s.name AS season, r.id AS run_id
  FROM pool p JOIN season s ON s.id = p.season_id
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
 WHERE p.id = :pool
""")


def corrections_page(session: Session, pool_id: int) -> CorrectionsPage:
    """Return what can be corrected in a pool, and what was."""
    pool = session.execute(_POOL, {"pool": pool_id}).first()
    if pool is None:
        raise NotFound
    return CorrectionsPage(
        pool_id=pool.id,
        pool=pool.name,
        season=pool.season,
        run_id=pool.run_id,
        correctable=correctable(session, pool_id),
        past=corrections_of(session, pool_id),
    )


def progress_page(session: Session, correction_id: int, *, at: datetime) -> CorrectionProgress:
    """Return how far the worker is with a correction."""
    return _progress(session, _correction(session, correction_id), at=at)


def _correction(session: Session, correction_id: int) -> Any:
    found = session.execute(_CORRECTION, {"correction": correction_id}).first()
    if found is None:
        raise NotFound
    return found


def _progress(session: Session, found: Any, *, at: datetime) -> CorrectionProgress:
    job = jobs.PUBLISH_CORRECTION if found.published_at else jobs.COMPUTE_CORRECTION
    since = found.published_at or found.requested_at
    row = jobs.state_of(session, job, found.id) if found.state in UNDER_WAY else None
    tries = row.attempts if row else 0
    late = row is not None and tries == 0 and at - since > DELAYED_AFTER
    return CorrectionProgress(found.id, found.state, since, tries, late)


def correction_page(session: Session, correction_id: int, *, at: datetime, number: int = 1) -> CorrectionPage:
    """Return a correction with every line of its batch, before and after."""
    found = _correction(session, correction_id)
    rows = session.execute(LINES, {"correction": correction_id})
    lines = [ChangedLine(row.household, row.handed, row.before, row.pieces, row.minor) for row in rows]
    return CorrectionPage(
        id=found.id,
        pool_id=found.pool_id,
        pool=found.pool,
        run_id=found.run_id,
        new_run_id=found.new_run_id,
        product=found.product,
        lot_number=found.lot_number,
        units_before=found.units_before,
        units=found.units,
        reason=found.reason,
        state=found.state,
        failure=found.failure,
        put_aside=found.put_aside,
        requested_by=found.asked_by,
        requested_at=found.requested_at,
        published_at=found.published_at,
        published_by=found.decided_by,
        result_digest=found.result_digest,
        progress=_progress(session, found, at=at),
        lines=lines,
        part=Slice(number, A_PAGE, sum(1 for line in lines if line.change)),
    )


def correctable(session: Session, pool_id: int) -> list[Correctable]:
    """Return the batches of a published pool whose yield was corrected since."""
    return [Correctable(*row) for row in session.execute(_CORRECTABLE, {"pool": pool_id})]


def corrections_of(session: Session, pool_id: int) -> list[PastCorrection]:
    """Return a pool's corrections, the latest first."""
    return [PastCorrection(*row) for row in session.execute(_PAST, {"pool": pool_id})]

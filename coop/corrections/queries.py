"""What a corrected yield changes: the page of one correction, and which batches of a pool could be corrected."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A household's line: pieces before and after, of them fetched already; `minor` is released (+) or to be held (-)."""

    household: str
    handed: int
    before: int
    pieces: int
    minor: int


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
    requested_by: str
    requested_at: datetime
    published_at: datetime | None
    lines: list[ChangedLine]

    @property
    def changed(self) -> list[ChangedLine]:
        """The lines whose pieces change."""
        return [line for line in self.lines if line.pieces != line.before]


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
       coalesce(w.name, 'the command line') AS asked_by
  FROM correction c
  JOIN pool p ON p.id = c.pool_id
  JOIN offering f ON f.id = c.offering_id
  JOIN product d ON d.id = f.product_id
  JOIN batch b ON b.id = f.batch_id
  LEFT JOIN LATERAL (SELECT reason FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  LEFT JOIN person w ON w.id = c.requested_by
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


def correction_page(session: Session, correction_id: int) -> CorrectionPage:
    """Return a correction with every line of its batch, before and after."""
    found = session.execute(_CORRECTION, {"correction": correction_id}).first()
    if found is None:
        raise NotFound
    lines = session.execute(LINES, {"correction": correction_id})
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
        requested_by=found.asked_by,
        requested_at=found.requested_at,
        published_at=found.published_at,
        lines=[ChangedLine(row.household, row.handed, row.before, row.pieces, row.minor) for row in lines],
    )


def correctable(session: Session, pool_id: int) -> list[Correctable]:
    """Return the batches of a published pool whose yield was corrected since."""
    return [Correctable(*row) for row in session.execute(_CORRECTABLE, {"pool": pool_id})]


def corrections_of(session: Session, pool_id: int) -> list[PastCorrection]:
    """Return a pool's corrections, the latest first."""
    return [PastCorrection(*row) for row in session.execute(_PAST, {"pool": pool_id})]

"""Entries by hand as treasurers see them: which wait, and which were decided on."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import CHART
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class LineRow:
    code: int
    account: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class VoucherRow:
    id: int
    business_date: date
    reason: str
    state: str
    written_by: str
    written_at: datetime
    decided_by: str
    decided_at: datetime | None
    is_viewers: bool
    lines: list[LineRow]

    @property
    def total_minor(self) -> int:
        """What it moves."""
        return sum(line.debit_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class VouchersPage:
    rows: list[VoucherRow]
    part: Slice


_VOUCHERS = """
SELECT v.id, v.business_date, v.reason, v.state, v.lines, v.asked_by, v.asked_at, v.decided_at,
       coalesce(w.name, 'the command line') AS writer, coalesce(d.name, 'the command line') AS decider, count(*) OVER () AS total
  FROM voucher v LEFT JOIN person w ON w.id = v.asked_by LEFT JOIN person d ON d.id = v.decided_by
"""


def vouchers_page(session: Session, viewer_id: int, *, number: int) -> VouchersPage:
    """Return fifty entries by hand: those that wait first, then the latest."""
    rows = session.execute(
        text(f"{_VOUCHERS} ORDER BY (v.state = 'waiting') DESC, v.id DESC LIMIT :most OFFSET :skipped"),
        {"most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    shown = [_voucher(row, viewer_id) for row in rows]
    return VouchersPage(shown, Slice(number, A_PAGE, rows[0].total if rows else 0))


def voucher(session: Session, voucher_id: int, viewer_id: int) -> VoucherRow:
    """Return one entry by hand."""
    row = session.execute(text(f"{_VOUCHERS} WHERE v.id = :id"), {"id": voucher_id}).first()
    if row is None:
        raise NotFound
    return _voucher(row, viewer_id)


def _voucher(row: Row[tuple[object, ...]], viewer_id: int) -> VoucherRow:
    return VoucherRow(
        row.id,
        row.business_date,
        row.reason,
        row.state,
        row.writer,
        row.asked_at,
        row.decider,
        row.decided_at,
        row.asked_by == viewer_id,
        [LineRow(code, CHART[code].name, max(minor, 0), max(-minor, 0)) for code, minor in row.lines],
    )

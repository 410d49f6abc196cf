"""A year of each maker: what was sold through the co-op, and what was paid, from the books' own entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer
from coop.core.season import local_day
from coop.policy import service as policy

A_PAGE: Final = 50
FIRST: Final = 2000
LAST: Final = 2099


@dataclass(frozen=True, slots=True)
class YearRow:
    """A maker's year, minor units. Sold, fee and tax by the day of the hand-over; `advanced` and `paid` by the day of the bank."""

    artisan_id: int
    maker: str
    pieces: int
    sold_minor: int
    fee_minor: int
    tax_minor: int
    earned_minor: int
    advanced_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class YearPage:
    year: int
    this_year: int
    names_all: bool
    rows: list[YearRow]
    part: Slice


_YEAR = text("""
WITH sold AS (
  SELECT a.party, sum(hl.pieces)::bigint AS pieces, sum(hl.pieces * l.unit_minor)::bigint AS sold, sum(hl.fee_minor)::bigint AS fee,
         sum(hl.tax_minor)::bigint AS tax
    FROM entry e
    JOIN posting p ON p.entry_id = e.id
    JOIN account a ON a.id = p.account_id AND a.code = 2100
    JOIN hand_over h ON h.entry_id = e.id
    JOIN hand_over_line hl ON hl.hand_over_id = h.id AND hl.line_id = p.line_id
    JOIN order_line l ON l.id = p.line_id
   WHERE e.business_date BETWEEN :first AND :last AND (:all OR a.party = ANY(:parties))
   GROUP BY a.party),
moved AS (
  SELECT a.party, sum(-p.amount) FILTER (WHERE a.code = 2100 AND e.kind NOT IN ('payout', 'payout_returned', 'payout_rejected', 'set_off'))::bigint AS earned,
         sum(p.amount) FILTER (WHERE a.code = 1160 AND e.kind NOT IN ('payout', 'set_off'))::bigint AS advanced
    FROM entry e
    JOIN posting p ON p.entry_id = e.id
    JOIN account a ON a.id = p.account_id AND a.code IN (1160, 2100)
   WHERE e.business_date BETWEEN :first AND :last AND (:all OR a.party = ANY(:parties))
   GROUP BY a.party),
paid AS (
  SELECT 'artisan:' || s.artisan_id AS party,
         (coalesce(sum(y.amount_minor) FILTER (WHERE y.settled_on BETWEEN :first AND :last), 0)
          - coalesce(sum(y.amount_minor) FILTER (WHERE y.returned_on BETWEEN :first AND :last), 0))::bigint AS paid
    FROM payment y JOIN statement s ON s.id = y.statement_id
   WHERE y.settled_on IS NOT NULL AND (:all OR 'artisan:' || s.artisan_id = ANY(:parties))
   GROUP BY s.artisan_id)
SELECT m.id, m.name, coalesce(sold.pieces, 0) AS pieces, coalesce(sold.sold, 0) AS sold, coalesce(sold.fee, 0) AS fee, coalesce(sold.tax, 0) AS tax,
       coalesce(moved.earned, 0) AS earned, coalesce(moved.advanced, 0) AS advanced, coalesce(paid.paid, 0) AS paid
  FROM artisan m
  LEFT JOIN sold ON sold.party = 'artisan:' || m.id
  LEFT JOIN moved ON moved.party = 'artisan:' || m.id
  LEFT JOIN paid ON paid.party = 'artisan:' || m.id
 WHERE (:all OR m.id = ANY(:own))
   AND (sold.party IS NOT NULL OR coalesce(moved.earned, 0) <> 0 OR coalesce(moved.advanced, 0) <> 0 OR coalesce(paid.paid, 0) <> 0)
 ORDER BY m.name, m.id
""")


def year_rows(session: Session, year: int, *, own: Sequence[int] | None) -> list[YearRow]:
    """Return the year of each maker, or of a few, who sold or was paid anything in it, in name order. Raises NotFound for no year of ours."""
    if not FIRST <= year <= LAST:
        raise NotFound
    ids = list(own or ())
    told = {"first": date(year, 1, 1), "last": date(year, 12, 31), "all": own is None, "own": ids}
    rows = session.execute(_YEAR, told | {"parties": [f"artisan:{one}" for one in ids]})
    return [YearRow(*row) for row in rows]


def year_page(session: Session, viewer: Viewer, year: int, *, number: int, at: datetime) -> YearPage:
    """Return fifty makers' years that the viewer may see."""
    sees_all = roles.may_handle_money(viewer)
    rows = year_rows(session, year, own=None if sees_all else sorted(viewer.artisan_ids))
    today = local_day(at, policy.current(session, "zone", at=at))
    part = Slice(number, A_PAGE, len(rows))
    return YearPage(year, today.year, sees_all, rows[part.skipped :][:A_PAGE], part)


def year_of_maker(session: Session, artisan_id: int, year: int) -> YearRow:
    """Return one maker's year; NotFound where it neither sold nor was paid anything."""
    rows = year_rows(session, year, own=[artisan_id])
    if not rows:
        raise NotFound
    return rows[0]


def may_read(session: Session, viewer: Viewer, /, *, year: int, artisan_id: int) -> bool:  # noqa: ARG001 - the shape of a rule about rows
    """Whether a maker's year is the viewer's own workshop's, or the viewer may see all."""
    return roles.may_see_statement(viewer, artisan_id)

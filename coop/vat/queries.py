"""What was sold and which fees were taken, by the rate of their tax and the day of their entry; it meets the tax account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.paging import Slice
from coop.core.season import month_of

A_PAGE: Final = 50
STEPS: Final = {"month": "By month", "quarter": "By quarter", "whole": "In one"}
WHATS: Final = {"sales": "Sold by the co-op itself", "fees": "Co-op fees", "deposits": "Forfeited deposits"}

TAXED: Final = """
SELECT m.entry_id, CASE t.model WHEN 'resale' THEN 'sales' ELSE 'fees' END AS what,
       CASE t.model WHEN 'resale' THEN t.price_tax_bp ELSE t.fee_tax_bp END AS rate_bp,
       CASE t.model WHEN 'resale' THEN m.sold_minor ELSE m.fee_minor END AS gross_minor, m.tax_minor
  FROM (SELECT h.entry_id, d.line_id, d.pieces * x.unit_minor AS sold_minor, d.fee_minor, d.tax_minor
          FROM hand_over_line d JOIN hand_over h ON h.id = d.hand_over_id JOIN order_line x ON x.id = d.line_id WHERE h.entry_id IS NOT NULL
         UNION ALL
        SELECT entry_id, line_id, -gross_minor, -fee_minor, -tax_minor FROM credit_note WHERE entry_id IS NOT NULL
         UNION ALL
        SELECT reversed_id, line_id, gross_minor, fee_minor, tax_minor FROM credit_note WHERE reversed_id > 0
         UNION ALL
        SELECT entry_id, line_id, 0, fee_minor, tax_minor FROM fee_change WHERE entry_id IS NOT NULL) m
  JOIN order_line l ON l.id = m.line_id
  JOIN offering f ON f.id = l.offering_id
  JOIN artisan_terms t ON t.id = f.terms_id"""
"""The SQL of all that bears tax, line by line: with its entry, what it is, its rate, and gross with the tax inside."""


@dataclass(frozen=True, slots=True)
class Asked:
    """From which to which day, both included, and in which steps: one of `STEPS`."""

    since: date
    until: date
    step: str = "month"


@dataclass(frozen=True, slots=True)
class RateRow:
    """What one rate comes to; tax and net add up to gross, and what was put right is taken off."""

    what: str
    rate_bp: int
    net_minor: int
    tax_minor: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Step:
    """A month, a quarter or the whole time, as far as it was asked for."""

    starts: date
    ends: date
    rows: list[RateRow]

    @property
    def is_whole(self) -> bool:
        """Whether it is whole months."""
        return self.starts.day == 1 and self.ends == month_of(self.ends).ends

    @property
    def tax_minor(self) -> int:
        """The tax of all its rates."""
        return sum(row.tax_minor for row in self.rows)


@dataclass(frozen=True, slots=True)
class TaxAccount:
    """How the tax account moved; what is owed stands above zero. `otherwise` is what was paid to the tax office or booked by hand."""

    account_id: int | None
    before_minor: int
    taxed_minor: int
    otherwise_minor: int

    @property
    def after_minor(self) -> int:
        """What stands there at the end."""
        return self.before_minor + self.taxed_minor + self.otherwise_minor


@dataclass(frozen=True, slots=True)
class ReportPage:
    asked: Asked
    steps: list[Step]
    account: TaxAccount


@dataclass(frozen=True, slots=True)
class TaxedEntry:
    id: int
    key: str
    kind: str
    business_date: date
    net_minor: int
    tax_minor: int
    gross_minor: int


@dataclass(frozen=True, slots=True)
class EntriesPage:
    asked: Asked
    what: str
    rate_bp: int
    total: RateRow
    rows: list[TaxedEntry]
    part: Slice


_ALL = f"""
SELECT e.id, e.key, e.kind, e.business_date, x.what, x.rate_bp, x.gross_minor, x.tax_minor
  FROM ({TAXED}
         UNION ALL
        SELECT e.id, 'deposits', 0, -p.amount, 0
          FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id LEFT JOIN entry r ON r.id = e.reverses_id
         WHERE a.code = 4100 AND coalesce(r.kind, e.kind) = 'returnables_forfeited') x
  JOIN entry e ON e.id = x.entry_id
 WHERE e.business_date BETWEEN :since AND :until
"""  # noqa: S608 - put together from our own texts

_STEPS = text(f"""
SELECT greatest(s.starts, :since) AS starts, least(s.ends, :until) AS ends, s.what, s.rate_bp,
       (s.gross - s.tax)::bigint, s.tax::bigint, s.gross::bigint
  FROM (SELECT q.starts, CASE :step WHEN 'whole' THEN :until WHEN 'quarter' THEN (q.starts + interval '3 months - 1 day')::date
                              ELSE (q.starts + interval '1 month - 1 day')::date END AS ends,
               q.what, q.rate_bp, sum(q.gross_minor) AS gross, sum(q.tax_minor) AS tax
          FROM (SELECT CASE :step WHEN 'whole' THEN CAST(:since AS date) ELSE date_trunc(CASE :step WHEN 'quarter' THEN 'quarter' ELSE 'month' END, t.business_date)::date END AS starts,
                       t.what, t.rate_bp, t.gross_minor, t.tax_minor FROM ({_ALL}) t) q
         GROUP BY 1, 2, 3, 4) s
 ORDER BY s.starts, array_position(ARRAY['sales', 'fees', 'deposits'], s.what), s.rate_bp DESC
""")  # noqa: S608 - as above

_ACCOUNT = text("""
SELECT min(a.id), coalesce(-sum(p.amount) FILTER (WHERE e.business_date < :since), 0)::bigint,
       coalesce(-sum(p.amount) FILTER (WHERE e.business_date BETWEEN :since AND :until), 0)::bigint
  FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id WHERE a.code = 2400
""")

_ENTRIES = f"""
SELECT t.id, t.key, t.kind, t.business_date, sum(t.gross_minor - t.tax_minor)::bigint AS net, sum(t.tax_minor)::bigint AS tax,
       sum(t.gross_minor)::bigint AS gross
  FROM ({_ALL}) t WHERE t.what = :what AND t.rate_bp = :rate
 GROUP BY t.id, t.key, t.kind, t.business_date
"""  # noqa: S608 - as above

_A_PART = text(
    f"SELECT e.*, count(*) OVER () AS total, sum(net) OVER ()::bigint AS all_net, sum(tax) OVER ()::bigint AS all_tax"  # noqa: S608 - as above
    f" FROM ({_ENTRIES}) e ORDER BY business_date, id LIMIT :most OFFSET :skipped"
)


def report_page(session: Session, asked: Asked) -> ReportPage:
    """Return net, tax and gross of each rate, step by step, and how the tax account moved in that time."""
    said = _said(asked)
    found = session.execute(_STEPS, said | {"step": asked.step}).all()
    steps = [
        Step(starts, ends, [RateRow(*row[2:]) for row in rows])
        for (starts, ends), rows in groupby(found, key=lambda row: (row.starts, row.ends))
    ]
    account_id, before, moved = session.execute(_ACCOUNT, said).one()
    taxed = sum(step.tax_minor for step in steps)
    return ReportPage(asked, steps, TaxAccount(account_id, before, taxed, moved - taxed))


def entries_page(session: Session, asked: Asked, what: str, rate_bp: int, *, number: int) -> EntriesPage:
    """Return fifty entries behind a figure of the report, in the order of their days."""
    said = _said(asked) | {"what": what, "rate": rate_bp}
    found = session.execute(_A_PART, said | {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    net, tax, count = (found[0].all_net, found[0].all_tax, found[0].total) if found else (0, 0, 0)
    total = RateRow(what, rate_bp, net, tax, net + tax)
    return EntriesPage(
        asked, what, rate_bp, total, [TaxedEntry(*row[:7]) for row in found], Slice(number, A_PAGE, count)
    )


def all_entries(session: Session, asked: Asked, what: str, rate_bp: int) -> Iterator[TaxedEntry]:
    """Yield every entry behind a figure of the report, in the order of their days."""
    said = _said(asked) | {"what": what, "rate": rate_bp}
    for row in session.execute(text(_ENTRIES + " ORDER BY t.business_date, t.id"), said):
        yield TaxedEntry(*row)


def _said(asked: Asked) -> dict[str, Any]:
    return {"since": asked.since, "until": asked.until}

"""The months of the books, and what stands in the way of closing one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.books import queries as books
from coop.core.errors import NotFound
from coop.core.season import local_day
from coop.dividends import queries as dividends
from coop.policy import service as policy

LAST_RULE: Final = 20
"""The rules of the books up to this number must hold before a month is closed; later ones are about the memory of seasons."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of closing a month: its code, how many there are, and a sentence that says what to do."""

    code: str
    count: int
    sentence: str


def obstacles(session: Session, period_id: int, *, at: datetime) -> list[Obstacle]:
    """Return everything that stands in the way of closing a month, the rules of the books last."""
    today = local_day(at, policy.current(session, "zone", at=at))
    period = session.execute(text("SELECT starts, ends FROM period WHERE id = :id"), {"id": period_id}).one()
    counts = session.execute(_IN_THE_WAY, {"starts": period.starts, "ends": period.ends}).one()
    broken = [rule for rule in books.results(session) if not rule.ok and int(rule.id[1:]) <= LAST_RULE]
    named = ", ".join(rule.id for rule in broken)
    found = (
        ("period_not_over", int(today <= period.ends), f"The month is over after {period.ends:%d %B %Y}."),
        ("earlier_open", counts.earlier, "Months are closed in their order: close the earlier ones first."),
        (
            "open_holds",
            dividends.holds_due(session, period.ends),
            "Money is held for pieces whose pickup day is past: hand them over, or give the money back.",
        ),
        (
            "payouts_in_transit",
            counts.transit,
            "Payments that were sent in this month are not settled: take in the bank's statement, or note them as paid.",
        ),
        ("unmatched_lines", counts.unmatched, "Lines of bank statements are not matched: say what they are."),
        ("unidentified_receipts", counts.unidentified, "Receipts wait for their household: say whose they are."),
        ("vouchers_wait", counts.vouchers, "Entries by hand of this month wait for a second person: decide on them."),
        ("invariants_broken", len(broken), f"Rules of the books are broken: {named}. Look at the health page."),
    )
    return [Obstacle(*one) for one in found if one[1]]


# What was sent in the month and is still on its way now: what the bank has settled since is no obstacle.
_IN_THE_WAY = text("""
SELECT (SELECT count(*) FROM period WHERE closed_at IS NULL AND ends < :starts) AS earlier,
       (SELECT count(*) FROM account a JOIN balance b ON b.account_id = a.id AND b.amount <> 0
         WHERE a.code = 2450 AND EXISTS (SELECT FROM posting p JOIN entry e ON e.id = p.entry_id
                                          WHERE p.account_id = a.id AND e.business_date <= :ends)) AS transit,
       (SELECT count(*) FROM bank_line WHERE entry_id IS NULL AND booked_on <= :ends) AS unmatched,
       (SELECT count(*) FROM bank_line b JOIN entry e ON e.id = b.entry_id AND e.kind = 'unidentified_receipt'
         WHERE b.booked_on <= :ends AND NOT EXISTS (SELECT FROM entry r WHERE r.key = 'resolve:' || b.id)) AS unidentified,
       (SELECT count(*) FROM voucher WHERE state = 'waiting' AND business_date BETWEEN :starts AND :ends) AS vouchers
""")


def income_and_expense(session: Session, period_id: int) -> dict[int, int]:
    """Return what stands on each account of income and expense by the entries of a month, debit +."""
    rows = session.execute(
        text(
            "SELECT a.code, sum(p.amount)::bigint AS minor FROM entry e JOIN posting p ON p.entry_id = e.id"
            " JOIN account a ON a.id = p.account_id WHERE e.period_id = :period AND a.code BETWEEN 4000 AND 5999"
            " GROUP BY a.code"
        ),
        {"period": period_id},
    )
    return {row.code: row.minor for row in rows}


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month of the books; `result_minor` is what it moved to its result, or would by now; `waits` what a second person is asked for."""

    id: int
    starts: date
    ends: date
    entries: int
    result_minor: int
    closed_at: datetime | None
    closed_by: str
    waits: str


@dataclass(frozen=True, slots=True)
class MonthsPage:
    rows: list[MonthRow]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """Who asked for what, and what came of it."""

    id: int
    kind: str
    reason: str
    state: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    is_viewers: bool


@dataclass(frozen=True, slots=True)
class MonthPage:
    month: MonthRow
    obstacles: list[Obstacle]
    decisions: list[DecisionRow]
    is_divided: bool

    @property
    def waiting(self) -> DecisionRow | None:
        """The decision that waits for a second person."""
        return next((one for one in self.decisions if one.state == "waiting"), None)


_MONTHS = """
SELECT m.id, m.starts, m.ends, count(DISTINCT e.id) AS entries,
       coalesce(-sum(p.amount) FILTER (WHERE a.code BETWEEN 4000 AND 5999 AND coalesce(r.kind, e.kind) <> 'close'), 0)::bigint AS result,
       m.closed_at, coalesce(c.name, 'the command line') AS closed_by, coalesce(d.kind, '') AS waits
  FROM period m
  LEFT JOIN entry e ON e.period_id = m.id LEFT JOIN entry r ON r.id = e.reverses_id
  LEFT JOIN posting p ON p.entry_id = e.id LEFT JOIN account a ON a.id = p.account_id
  LEFT JOIN person c ON c.id = m.closed_by
  LEFT JOIN period_decision d ON d.period_id = m.id AND d.state = 'waiting'
"""
_ALL_MONTHS = text(f"{_MONTHS} GROUP BY m.id, c.name, d.kind ORDER BY m.starts DESC")
_ONE_MONTH = text(f"{_MONTHS} WHERE m.id = :id GROUP BY m.id, c.name, d.kind")

_DECISIONS = text("""
SELECT d.id, d.kind, d.reason, d.state, coalesce(a.name, 'the command line') AS asked_by, d.asked_at,
       coalesce(b.name, 'the command line') AS decided_by, d.decided_at, d.asked_by = :viewer AS is_viewers
  FROM period_decision d LEFT JOIN person a ON a.id = d.asked_by LEFT JOIN person b ON b.id = d.decided_by
 WHERE d.period_id = :id ORDER BY d.id DESC
""")


def months_page(session: Session) -> MonthsPage:
    """Return every month of the books, the latest first."""
    return MonthsPage([MonthRow(*row) for row in session.execute(_ALL_MONTHS)])


def month_page(session: Session, period_id: int, viewer_id: int, *, at: datetime) -> MonthPage:
    """Return a month with what stands in the way of closing it, and what was decided about it. Raises NotFound."""
    row = session.execute(_ONE_MONTH, {"id": period_id}).first()
    if row is None:
        raise NotFound
    decisions = session.execute(_DECISIONS, {"id": period_id, "viewer": viewer_id})
    return MonthPage(
        MonthRow(*row),
        [] if row.closed_at else obstacles(session, period_id, at=at),
        [DecisionRow(*one) for one in decisions],
        dividends.covers(session, row.ends),
    )


def month_of_decision(session: Session, decision_id: int) -> int:
    """Return the month that a decision is about. Raises NotFound."""
    found = session.scalar(text("SELECT period_id FROM period_decision WHERE id = :id"), {"id": decision_id})
    if found is None:
        raise NotFound
    return int(found)

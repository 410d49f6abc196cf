"""The months of the books, and what stands in the way of closing one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.books import queries as books
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


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month of the books; `waits` says which decision about it waits for a second person: close, reopen or none."""

    id: int
    starts: date
    ends: date
    closed_at: datetime | None
    waits: str


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

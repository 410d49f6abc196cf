"""What stands in the books, and a household's money with every entry behind it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import MEMBER_CREDIT, ORDER_HOLD, SHARE_PREPAID, household_party
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as it moved the household's credit; `balance_minor` is the credit after it."""

    id: int
    business_date: date
    posted_at: datetime
    kind: str
    memo: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class BalancePage:
    credit_minor: int
    held_minor: int
    prepaid_minor: int
    rows: list[EntryRow]
    part: Slice


_ENTRIES = """
SELECT * FROM (
  SELECT e.id, e.business_date, e.posted_at, e.kind, coalesce(e.memo, '') AS memo, m.amount,
         sum(m.amount) OVER (ORDER BY e.id) AS balance, count(*) OVER () AS total
    FROM (SELECT p.entry_id, -sum(p.amount) AS amount FROM posting p JOIN account a ON a.id = p.account_id
           WHERE a.code = :code AND a.party = :party GROUP BY p.entry_id) m
    JOIN entry e ON e.id = m.entry_id) told
 ORDER BY id DESC LIMIT :most OFFSET :skipped
"""


_OWNED = text("""
SELECT a.code, -b.amount AS amount FROM account a JOIN balance b ON b.account_id = a.id
 WHERE a.party = :party AND a.code = ANY(:codes)
""")


def household_balances(session: Session, household_id: int) -> dict[int, int]:
    """Return what a household has as credit, in holds and prepaid, by account code; all as amounts it owns."""
    rows = session.execute(
        _OWNED, {"party": household_party(household_id), "codes": [MEMBER_CREDIT, ORDER_HOLD, SHARE_PREPAID]}
    )
    return {MEMBER_CREDIT: 0, ORDER_HOLD: 0, SHARE_PREPAID: 0} | {row.code: row.amount for row in rows}


def balance_page(session: Session, household_id: int, *, number: int) -> BalancePage:
    """Return fifty entries of a household's credit, the latest first, each with the balance after it."""
    kept = household_balances(session, household_id)
    asked = {"code": MEMBER_CREDIT, "party": household_party(household_id)}
    found = session.execute(text(_ENTRIES), asked | {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    return BalancePage(
        credit_minor=kept[MEMBER_CREDIT],
        held_minor=kept[ORDER_HOLD],
        prepaid_minor=kept[SHARE_PREPAID],
        rows=[
            EntryRow(row.id, row.business_date, row.posted_at, row.kind, row.memo, int(row.amount), int(row.balance))
            for row in found
        ],
        part=Slice(number, A_PAGE, found[0].total if found else 0),
    )


def bank_balance(session: Session) -> int:
    """Return what the co-op's bank account holds by the books, minor units."""
    total = session.scalar(
        text("SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN account a ON a.id = p.account_id AND a.code = 1000")
    )
    return int(total or 0)

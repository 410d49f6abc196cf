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


# the balance after the latest entry is kept, those before follow from it: what lies further back is counted, not read
_ENTRIES = text("""
WITH own AS (SELECT a.id, -b.amount AS kept FROM account a JOIN balance b ON b.account_id = a.id
              WHERE a.code = :code AND a.party = :party),
latest AS (
  SELECT entry_id, -sum(amount) AS amount FROM posting WHERE account_id = (SELECT id FROM own)
   GROUP BY entry_id ORDER BY entry_id DESC LIMIT :skipped + :most)
SELECT e.id, e.business_date, e.posted_at, e.kind, coalesce(e.memo, '') AS memo, m.amount, m.balance,
       (SELECT count(DISTINCT entry_id) FROM posting WHERE account_id = (SELECT id FROM own)) AS total
  FROM (SELECT entry_id, amount, (SELECT kept FROM own) - sum(amount) OVER (ORDER BY entry_id DESC) + amount AS balance
          FROM latest ORDER BY entry_id DESC OFFSET :skipped) m
  JOIN entry e ON e.id = m.entry_id ORDER BY e.id DESC
""")


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
    found = session.execute(_ENTRIES, asked | {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
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

"""What those who grant tiers see: the fund, who is helped until when, and households to grant one to; and what a household pays itself."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import HARDSHIP_FUND
from coop.core.paging import anywhere
from coop.ledger import service as ledger

FOUND_SHOWN: Final = 20
ENTRIES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Helped:
    """A household with a tier that has not ended; one past its last day helps no more."""

    household_id: int
    name: str
    tier_bp: int
    through: date
    reason: str
    granted_by: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class FundEntry:
    business_date: date
    kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class FundPage:
    fund_minor: int
    helped: list[Helped]
    moved: list[FundEntry]
    sought: str
    found: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class TierPage:
    household_id: int
    name: str
    current: Helped | None


_HELPED = """
SELECT h.id, h.name, t.tier_bp, t.through, t.reason, coalesce(p.name, 'the co-op') AS granted_by, t.granted_at
  FROM hardship_tier t JOIN household h ON h.id = t.household_id LEFT JOIN person p ON p.id = t.granted_by
 WHERE t.ended_at IS NULL AND (CAST(:household AS bigint) IS NULL OR h.id = :household) ORDER BY lower(h.name), h.id
"""

_MOVED = text("""
SELECT e.business_date, e.kind, -sum(p.amount)::bigint
  FROM posting p JOIN account a ON a.id = p.account_id AND a.code = :code JOIN entry e ON e.id = p.entry_id
 GROUP BY e.id ORDER BY e.id DESC LIMIT :most
""")

_FOUND = text(
    "SELECT id, name FROM household WHERE left_at IS NULL AND (name ILIKE :like OR reference ILIKE :like) ORDER BY lower(name), id LIMIT :most"
)


def fund_page(session: Session, sought: str) -> FundPage:
    """Return the fund and whom it helps; with what is sought, the households that one may be granted to."""
    helped = [Helped(*row) for row in session.execute(text(_HELPED), {"household": None})]
    moved = session.execute(_MOVED, {"code": HARDSHIP_FUND, "most": ENTRIES_SHOWN})
    found = session.execute(_FOUND, {"like": anywhere(sought), "most": FOUND_SHOWN}).all() if sought else []
    fund = -ledger.balance_of(session, HARDSHIP_FUND, "")
    return FundPage(fund, helped, [FundEntry(*row) for row in moved], sought, [(row.id, row.name) for row in found])


def tier_page(session: Session, household_id: int) -> TierPage:
    """Return a household and the tier it has."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id AND left_at IS NULL"), {"id": household_id})
    if name is None:
        raise NotFound
    helped = session.execute(text(_HELPED), {"household": household_id}).first()
    return TierPage(household_id, name, Helped(*helped) if helped else None)

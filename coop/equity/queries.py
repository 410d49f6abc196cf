"""Who has what in the co-op: the register of stakes, a household's own, and payments to households."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import household_party
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class StakeRow:
    """A household or maker with a stake: what it paid in, and what was retained of its dividends."""

    party: str
    household_id: int | None
    name: str
    capital_minor: int
    retained_minor: int


@dataclass(frozen=True, slots=True)
class StakesPage:
    sought: str
    rows: list[StakeRow]
    part: Slice
    capital_minor: int
    retained_minor: int
    on_their_way: int


_STAKES = text("""
SELECT *, count(*) OVER () AS total FROM (
  SELECT a.party, h.id AS household_id, coalesce(h.name, m.name, a.party) AS name,
         coalesce(-sum(b.amount) FILTER (WHERE a.code = 3000), 0)::bigint AS capital,
         coalesce(-sum(b.amount) FILTER (WHERE a.code = 3100), 0)::bigint AS retained
    FROM account a JOIN balance b ON b.account_id = a.id
    LEFT JOIN household h ON a.party = 'household:' || h.id LEFT JOIN artisan m ON a.party = 'artisan:' || m.id
   WHERE a.code IN (3000, 3100) GROUP BY a.party, h.id, h.name, m.name HAVING bool_or(b.amount <> 0)) stakes
 WHERE name ILIKE :like ORDER BY name, party LIMIT :most OFFSET :skipped
""")

_SUMS = text("""
SELECT coalesce(-sum(b.amount) FILTER (WHERE a.code = 3000), 0)::bigint AS capital,
       coalesce(-sum(b.amount) FILTER (WHERE a.code = 3100), 0)::bigint AS retained,
       (SELECT count(*) FROM household_payment WHERE settled_on IS NULL) AS on_their_way
  FROM account a JOIN balance b ON b.account_id = a.id WHERE a.code IN (3000, 3100)
""")


def stakes_page(session: Session, sought: str, *, number: int) -> StakesPage:
    """Return fifty of those who have a stake in the co-op, by name."""
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = session.execute(_STAKES, {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    sums = session.execute(_SUMS).one()
    rows = [StakeRow(*row[:-1]) for row in found]
    return StakesPage(sought, rows, Slice(number, A_PAGE, found[0].total if found else 0), *sums)


@dataclass(frozen=True, slots=True)
class StakeEntry:
    kind: str
    memo: str
    business_date: date
    capital_minor: int
    retained_minor: int


@dataclass(frozen=True, slots=True)
class StakePage:
    household_id: int
    name: str
    capital_minor: int
    retained_minor: int
    rows: list[StakeEntry]


_MOVES = text("""
SELECT e.kind, coalesce(e.memo, '') AS memo, e.business_date,
       coalesce(-sum(p.amount) FILTER (WHERE a.code = 3000), 0)::bigint AS capital,
       coalesce(-sum(p.amount) FILTER (WHERE a.code = 3100), 0)::bigint AS retained
  FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id
 WHERE a.code IN (3000, 3100) AND a.party = :party GROUP BY e.id ORDER BY e.id DESC
""")


def stake_page(session: Session, household_id: int) -> StakePage:
    """Return what a household has in the co-op, with everything that moved it. Raises NotFound."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id"), {"id": household_id})
    if name is None:
        raise NotFound
    rows = [StakeEntry(*row) for row in session.execute(_MOVES, {"party": household_party(household_id)})]
    capital, retained = sum(row.capital_minor for row in rows), sum(row.retained_minor for row in rows)
    return StakePage(household_id, name, capital, retained, rows)


@dataclass(frozen=True, slots=True)
class PaymentRow:
    id: int
    household: str
    purpose: str
    amount_minor: int
    end_to_end_id: str
    settled_on: date | None


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    rows: list[PaymentRow]
    part: Slice
    in_transit_minor: int


_PAYMENTS = """
SELECT y.id, h.name, y.purpose, y.amount_minor, y.end_to_end_id, y.settled_on, count(*) OVER () AS total
  FROM household_payment y JOIN household h ON h.id = y.household_id
"""


def payments_page(session: Session, *, number: int) -> PaymentsPage:
    """Return fifty payments to households: those on their way first, then the latest."""
    found = session.execute(
        text(f"{_PAYMENTS} ORDER BY (y.settled_on IS NULL) DESC, y.id DESC LIMIT :most OFFSET :skipped"),
        {"most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    waiting = text("SELECT coalesce(sum(amount_minor), 0)::bigint FROM household_payment WHERE settled_on IS NULL")
    rows = [PaymentRow(*row[:-1]) for row in found]
    return PaymentsPage(rows, Slice(number, A_PAGE, found[0].total if found else 0), session.scalar(waiting) or 0)


def payment(session: Session, payment_id: int) -> PaymentRow:
    """Return one payment to a household. Raises NotFound."""
    row = session.execute(text(f"{_PAYMENTS} WHERE y.id = :id"), {"id": payment_id}).first()
    if row is None:
        raise NotFound
    return PaymentRow(*row[:-1])

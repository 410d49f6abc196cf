"""A household's whole account, the suppliers' bills, and how a bill would be split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import CHART, household_party
from coop.core.money import split
from coop.core.paging import Slice, anywhere
from coop.ledger.queries import BalancePage, balance_page

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    id: int
    name: str
    reference: str
    credit_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class HouseholdsPage:
    sought: str
    rows: list[HouseholdRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class Held:
    """What stands on one account of a household; positive on the account's own side."""

    account_id: int
    code: int
    name: str
    minor: int


@dataclass(frozen=True, slots=True)
class AccountsPage:
    id: int
    name: str
    held: list[Held]
    credit: BalancePage


@dataclass(frozen=True, slots=True)
class SupplierRow:
    account_id: int
    name: str
    owed_minor: int


@dataclass(frozen=True, slots=True)
class MakerRow:
    id: int
    name: str
    advance_minor: int


@dataclass(frozen=True, slots=True)
class SuppliersPage:
    suppliers: list[SupplierRow]
    makers: list[MakerRow]


@dataclass(frozen=True, slots=True)
class Part:
    household_id: int
    name: str
    weight: int
    minor: int
    credit_minor: int

    @property
    def lacks(self) -> bool:
        """Whether its credit does not cover its part."""
        return self.minor > self.credit_minor


_HOUSEHOLDS = text("""
SELECT h.id, h.name, coalesce(h.reference, ''), coalesce(-c.amount, 0), coalesce(o.amount, 0), count(*) OVER ()
  FROM household h
  LEFT JOIN account ca ON ca.code = 2000 AND ca.party = 'household:' || h.id LEFT JOIN balance c ON c.account_id = ca.id
  LEFT JOIN account oa ON oa.code = 1170 AND oa.party = 'household:' || h.id LEFT JOIN balance o ON o.account_id = oa.id
 WHERE (h.name ILIKE :like OR h.reference ILIKE :like)
 ORDER BY lower(h.name), h.id LIMIT :most OFFSET :skipped
""")

_HELD = text("""
SELECT a.id, a.code, b.amount FROM account a JOIN balance b ON b.account_id = a.id
 WHERE a.party = :party AND b.amount <> 0 ORDER BY a.code
""")

_SUPPLIERS = """
SELECT a.id, substr(a.party, 10) AS name, -b.amount AS owed FROM account a JOIN balance b ON b.account_id = a.id
 WHERE a.code = 2550 {and_one} ORDER BY b.amount, a.id LIMIT 200
"""

_MAKERS = text("""
SELECT m.id, m.name, coalesce(b.amount, 0) FROM artisan m
  LEFT JOIN account a ON a.code = 1160 AND a.party = 'artisan:' || m.id LEFT JOIN balance b ON b.account_id = a.id
 WHERE m.left_at IS NULL ORDER BY coalesce(b.amount, 0) DESC, lower(m.name) LIMIT 500
""")

_POOLS = text("""
SELECT p.id, p.name FROM pool p JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
 ORDER BY p.pickup_on DESC, p.id DESC LIMIT 50
""")

_BEARERS = text("""
SELECT o.household_id, h.name, sum(a.pieces)::bigint AS pieces, coalesce(-max(b.amount), 0) AS credit
  FROM household_order o
  JOIN household h ON h.id = o.household_id
  JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
  JOIN order_line l ON l.order_id = o.id
  JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0
  LEFT JOIN account c ON c.code = 2000 AND c.party = 'household:' || o.household_id
  LEFT JOIN balance b ON b.account_id = c.id
 WHERE o.pool_id = :pool GROUP BY o.household_id, h.name ORDER BY o.household_id
""")


def households_page(session: Session, sought: str, *, number: int) -> HouseholdsPage:
    """Return fifty households with their credit and what they owe."""
    asked = {"like": anywhere(sought), "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    rows = session.execute(_HOUSEHOLDS, asked).all()
    return HouseholdsPage(
        sought, [HouseholdRow(*row[:5]) for row in rows], Slice(number, A_PAGE, rows[0][5] if rows else 0)
    )


def accounts_page(session: Session, household_id: int, *, number: int) -> AccountsPage:
    """Return what stands on each account of a household, and its credit entry by entry."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id"), {"id": household_id})
    if name is None:
        raise NotFound
    held = [
        Held(row.id, row.code, CHART[row.code].name, CHART[row.code].normal_sign * row.amount)
        for row in session.execute(_HELD, {"party": household_party(household_id)})
    ]
    return AccountsPage(household_id, name, held, balance_page(session, household_id, number=number))


def suppliers_page(session: Session) -> SuppliersPage:
    """Return whom bills are owed to, and the makers with what was advanced to them."""
    suppliers = [SupplierRow(*row) for row in session.execute(text(_SUPPLIERS.format(and_one="AND b.amount <> 0")))]
    return SuppliersPage(suppliers, [MakerRow(*row) for row in session.execute(_MAKERS)])


def supplier(session: Session, account_id: int) -> SupplierRow:
    """Return one supplier by its account."""
    row = session.execute(text(_SUPPLIERS.format(and_one="AND a.id = :id")), {"id": account_id}).first()
    if row is None:
        raise NotFound
    return SupplierRow(*row)


def maker(session: Session, artisan_id: int) -> MakerRow:
    """Return one maker with what was advanced to it."""
    found = [row for row in session.execute(_MAKERS) if row.id == artisan_id]
    if not found:
        raise NotFound
    return MakerRow(*found[0])


def pools_shared(session: Session) -> list[tuple[int, str]]:
    """Return the pools whose households may share a bill, the latest first."""
    return [(row.id, row.name) for row in session.execute(_POOLS)]


def parts(session: Session, pool_id: int, minor: int, *, by_pieces: bool) -> Sequence[Part]:
    """Split a bill among the households that were given something in a pool, by largest remainder."""
    bearers = session.execute(_BEARERS, {"pool": pool_id}).all()
    weights = [int(row.pieces) if by_pieces else 1 for row in bearers]
    if not bearers:
        return []
    borne = split(minor, weights)
    return [
        Part(row.household_id, row.name, weight, part, int(row.credit))
        for row, weight, part in zip(bearers, weights, borne, strict=True)
    ]

"""The list of members, and one household with all that concerns it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.core.paging import Slice, anywhere
from coop.ledger.queries import BalancePage, balance_page

A_PAGE: Final = 50
ORDERS_SHOWN: Final = 50


class MemberRow(NamedTuple):
    """A household with its people, the season shares it holds now, and its credit."""

    id: int
    name: str
    reference: str
    people: str
    shares: str
    weight: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class MembersPage:
    sought: str
    rows: list[MemberRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class PersonOfHousehold:
    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ShareHeld:
    season: str
    size: str
    weight: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order; `pieces` is None until its pool is published."""

    id: int
    pool_id: int
    pool: str
    placed_at: datetime
    lines: int
    wished: int
    pieces: int | None
    handed: int


@dataclass(frozen=True, slots=True)
class MemberPage:
    id: int
    name: str
    reference: str
    joined_at: datetime
    left_at: datetime | None
    people: list[PersonOfHousehold]
    shares: list[ShareHeld]
    orders: list[OrderRow]
    orders_beyond: int
    balance: BalancePage


_ALL = text("""
SELECT id, name, coalesce(reference, '') AS reference,
       (SELECT count(*) FROM household WHERE left_at IS NULL) AS total
  FROM household WHERE left_at IS NULL
 ORDER BY lower(name), id LIMIT :most OFFSET :skipped
""")

_FOUND = text("""
SELECT h.id, h.name, coalesce(h.reference, '') AS reference, count(*) OVER () AS total FROM household h
 WHERE h.left_at IS NULL AND (h.name ILIKE :like OR h.reference ILIKE :like OR h.id IN (
       SELECT b.household_id FROM belonging b JOIN person p ON p.id = b.person_id
        WHERE b.ended_at IS NULL AND p.left_at IS NULL AND (p.name ILIKE :like OR p.email_key ILIKE :like)))
 ORDER BY lower(h.name), h.id LIMIT :most OFFSET :skipped
""")

_PEOPLE_OF = text("""
SELECT b.household_id, p.id, p.name, p.email FROM belonging b JOIN person p ON p.id = b.person_id
 WHERE b.household_id = ANY(:ids) AND b.ended_at IS NULL ORDER BY p.name, p.id
""")

_SHARES_OF = text("""
SELECT s.household_id, n.name AS season, z.name AS size, z.weight, s.taken_at
  FROM season_share s JOIN share_size z ON z.id = s.size_id JOIN season n ON n.id = z.season_id
 WHERE s.household_id = ANY(:ids) AND s.ended_at IS NULL ORDER BY n.starts, z.weight, z.name
""")

_CREDIT_OF = text("""
SELECT a.party, -b.amount AS minor FROM account a JOIN balance b ON b.account_id = a.id
 WHERE a.code = :code AND a.party = ANY(:parties)
""")


def members_page(session: Session, sought: str, *, number: int) -> MembersPage:
    """Return fifty households by name: all, or those where name, reference, a person or an address holds what is sought."""
    asked = {"most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    listed = session.execute(_FOUND, asked | {"like": anywhere(sought)}) if sought else session.execute(_ALL, asked)
    found = listed.all()
    ids = [row.id for row in found]
    people, shares = defaultdict(list), defaultdict(list)
    for person in session.execute(_PEOPLE_OF, {"ids": ids}):
        people[person.household_id].append(person.name)
    for share in session.execute(_SHARES_OF, {"ids": ids}):
        shares[share.household_id].append(share)
    parties = [household_party(one) for one in ids]
    balances = session.execute(_CREDIT_OF, {"code": MEMBER_CREDIT, "parties": parties})
    credit = {row.party: row.minor for row in balances}
    rows = [
        MemberRow(
            id=row.id,
            name=row.name,
            reference=row.reference,
            people=", ".join(people[row.id]),
            shares=", ".join(f"{share.size}, {share.season}" for share in shares[row.id]),
            weight=sum(share.weight for share in shares[row.id]),
            credit_minor=credit.get(household_party(row.id), 0),
        )
        for row in found
    ]
    return MembersPage(sought, rows, Slice(number, A_PAGE, found[0].total if found else 0))


_HOUSEHOLD = text(
    "SELECT id, name, coalesce(reference, '') AS reference, joined_at, left_at FROM household WHERE id = :id"
)

_ORDERS = text("""
SELECT o.id, p.id AS pool_id, p.name, o.placed_at, l.lines, l.wished, a.pieces, coalesce(h.handed, 0), count(*) OVER () AS total
  FROM household_order o
  JOIN pool p ON p.id = o.pool_id
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(wish), 0)::bigint AS wished FROM order_line
                       WHERE order_id = o.id AND up_to > 0) l
  LEFT JOIN LATERAL (SELECT sum(w.pieces)::bigint AS pieces FROM order_line x
                       JOIN award w ON w.run_id = r.id AND w.offering_id = x.offering_id AND w.line_id = x.id
                      WHERE x.order_id = o.id) a ON true
  LEFT JOIN LATERAL (SELECT sum(y.pieces)::bigint AS handed FROM hand_over z JOIN hand_over_line y ON y.hand_over_id = z.id
                      WHERE z.order_id = o.id) h ON true
 WHERE o.household_id = :id
 ORDER BY p.closes_at DESC, p.id DESC LIMIT :most
""")


def member_page(session: Session, household_id: int, *, number: int) -> MemberPage:
    """Return a household with its people, shares, last orders, and its credit, fifty entries a page."""
    row = session.execute(_HOUSEHOLD, {"id": household_id}).first()
    if row is None:
        raise NotFound
    people = session.execute(_PEOPLE_OF, {"ids": [household_id]})
    shares = session.execute(_SHARES_OF, {"ids": [household_id]})
    orders = session.execute(_ORDERS, {"id": household_id, "most": ORDERS_SHOWN}).all()
    return MemberPage(
        id=row.id,
        name=row.name,
        reference=row.reference,
        joined_at=row.joined_at,
        left_at=row.left_at,
        people=[PersonOfHousehold(person.id, person.name, person.email) for person in people],
        shares=[ShareHeld(share.season, share.size, share.weight, share.taken_at) for share in shares],
        orders=[OrderRow(*order[:8]) for order in orders],
        orders_beyond=max(0, orders[0].total - ORDERS_SHOWN) if orders else 0,
        balance=balance_page(session, household_id, number=number),
    )

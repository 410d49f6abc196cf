"""What a household has prepaid and still has to pay, and what either would be after a sum went elsewhere."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.dealings import taken_off
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import MEMBER_CREDIT, SHARE_PREPAID, household_party
from coop.instalments import service as instalments
from coop.ledger import service as ledger

MOST_HOUSEHOLDS: Final = 2000


@dataclass(frozen=True, slots=True)
class Planned:
    """An instalment that is still to become credit."""

    share: str
    due_on: date
    minor: int


@dataclass(frozen=True, slots=True)
class PrepaidPage:
    id: int
    name: str
    prepaid_minor: int
    credit_minor: int
    planned: list[Planned]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure as it is and as it would be."""

    what: str
    under: str
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would change; `digest` says in short what was looked at."""

    changes: list[Change]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        told = ";".join(f"{one.what}:{one.under}:{one.before_minor}:{one.after_minor}" for one in self.changes)
        object.__setattr__(self, "digest", hashlib.sha256(told.encode()).hexdigest())


_PLANNED = text("""
SELECT z.name || ' share, ' || n.name, i.due_on, i.amount_minor
  FROM season_share s JOIN share_size z ON z.id = s.size_id JOIN season n ON n.id = z.season_id
  JOIN instalment i ON i.share_id = s.id AND i.released_at IS NULL
 WHERE s.household_id = :household AND s.ended_at IS NULL ORDER BY i.due_on, i.id
""")

_HOLDERS = text("""
SELECT DISTINCT h.id, h.name, lower(h.name) FROM household h JOIN season_share s ON s.household_id = h.id AND s.ended_at IS NULL
 WHERE h.left_at IS NULL AND h.id <> :household ORDER BY lower(h.name), h.id LIMIT :most
""")


def prepaid_page(session: Session, household_id: int) -> PrepaidPage:
    """Return what a household has prepaid, its credit, and the instalments to come."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id"), {"id": household_id})
    if name is None:
        raise NotFound
    party = household_party(household_id)
    return PrepaidPage(
        id=household_id,
        name=name,
        prepaid_minor=-ledger.balance_of(session, SHARE_PREPAID, party),
        credit_minor=-ledger.balance_of(session, MEMBER_CREDIT, party),
        planned=[Planned(*row) for row in session.execute(_PLANNED, {"household": household_id})],
    )


def share_holders(session: Session, household_id: int) -> list[tuple[int, str]]:
    """Return the other households that hold a season share, by name."""
    asked = {"household": household_id, "most": MOST_HOUSEHOLDS}
    return [(row.id, row.name) for row in session.execute(_HOLDERS, asked)]


def preview(session: Session, page: PrepaidPage, act: str, minor: int, to_id: int | None) -> Preview:
    """Return what `act` ("release", "move" or "refund") of a sum would change. Raises `more_than_owed`."""
    changes = [Change("Prepaid for its season shares", page.name, page.prepaid_minor, page.prepaid_minor - minor)]
    if act == "release":
        changes.append(Change("Credit", page.name, page.credit_minor, page.credit_minor + minor))
    elif act == "refund":
        changes.append(Change("Sent from the bank", page.name, 0, minor))
    elif to_id is not None:
        changes.extend(_received(session, to_id, minor))
    after = taken_off([one.minor for one in page.planned], minor)
    changes.extend(
        Change(f"Instalment of {one.due_on:%d %b %Y}", one.share, one.minor, left)
        for one, left in zip(page.planned, after, strict=True)
        if left != one.minor
    )
    return Preview(changes)


def _received(session: Session, to_id: int, minor: int) -> list[Change]:
    to = prepaid_page(session, to_id)
    owed = instalments.owed_by(session, {to_id})[to_id]
    if minor > owed:
        raise RuleBroken("more_than_owed", f"{to.name} still has to pay less than that for its season shares. Move at most what they still cost.", field="amount")  # fmt: skip
    return [
        Change("Prepaid for its season shares", to.name, to.prepaid_minor, to.prepaid_minor + minor),
        Change("Still to pay for its shares", to.name, owed, owed - minor),
    ]

"""The people of the co-op and what they may do, for those who give roles."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: int
    name: str
    email: str
    household: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    sought: str
    rows: list[PersonRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class GrantRow:
    id: int
    role: str
    artisan_id: int | None
    granted_at: datetime
    granted_by: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    id: int
    name: str
    email: str
    household: str
    joined_at: datetime
    grants: list[GrantRow]


_ROLES = (
    " LEFT JOIN belonging b ON b.person_id = p.id AND b.ended_at IS NULL LEFT JOIN household h ON h.id = b.household_id"
    " LEFT JOIN LATERAL (SELECT array_agg(DISTINCT role) AS roles FROM role_grant"
    " WHERE person_id = p.id AND ended_at IS NULL) g ON true"
)


def people_page(session: Session, sought: str, *, number: int) -> PeoplePage:
    """Return fifty people, those with a role first, whose name, address or household holds what is sought."""
    held = "p.left_at IS NULL AND (:like = '%%' OR p.name ILIKE :like OR p.email_key ILIKE :like OR h.name ILIKE :like)"
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = session.execute(
        text(
            "SELECT p.id, p.name, p.email, coalesce(h.name, '') AS household, coalesce(g.roles, '{}') AS roles,"  # noqa: S608 - constants only
            f" count(*) OVER () AS total FROM person p{_ROLES} WHERE {held}"
            " ORDER BY g.roles IS NULL, lower(p.name), p.id LIMIT :most OFFSET :skipped"
        ),
        {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    shown = [PersonRow(row.id, row.name, row.email, row.household, row.roles) for row in rows]
    return PeoplePage(sought, shown, Slice(number, A_PAGE, rows[0].total if rows else 0))


def person_page(session: Session, person_id: int) -> PersonPage:
    """Return a person with the roles they hold now."""
    row = session.execute(
        text(
            "SELECT p.id, p.name, p.email, p.joined_at, coalesce(h.name, '') AS household FROM person p"
            " LEFT JOIN belonging b ON b.person_id = p.id AND b.ended_at IS NULL"
            " LEFT JOIN household h ON h.id = b.household_id WHERE p.id = :id AND p.left_at IS NULL"
        ),
        {"id": person_id},
    ).first()
    if row is None:
        raise NotFound
    grants = session.execute(
        text(
            "SELECT r.id, r.role, r.artisan_id, r.granted_at, coalesce(g.name, 'the command line') AS granted_by"
            " FROM role_grant r LEFT JOIN person g ON g.id = r.granted_by"
            " WHERE r.person_id = :id AND r.ended_at IS NULL ORDER BY r.granted_at, r.id"
        ),
        {"id": person_id},
    )
    shown = [GrantRow(*grant) for grant in grants]
    return PersonPage(row.id, row.name, row.email, row.household, row.joined_at, shown)


def grant_belongs(session: Session, _: Viewer, /, *, person_id: int, grant_id: int) -> bool:
    """Whether a grant is one of this person's."""
    found = "SELECT 1 FROM role_grant WHERE id = :grant AND person_id = :person"
    return session.scalar(text(found), {"grant": grant_id, "person": person_id}) is not None

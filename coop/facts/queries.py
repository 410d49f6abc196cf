"""What the co-op says of itself now, and where its pieces are fetched."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.money import MINOR_EXPONENT
from coop.policy import service as policy


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The policies in effect by name, but for the bank account: of that only the last four characters."""

    agreed: dict[str, Any]
    iban_ending: str
    currencies: list[str]
    zones: list[str]


@dataclass(frozen=True, slots=True)
class PointRow:
    id: int
    name: str
    place: str
    hours: str
    households: int


@dataclass(frozen=True, slots=True)
class PointsPage:
    points: list[PointRow]
    ended: list[str]


def settings_page(session: Session, *, at: datetime) -> SettingsPage:
    """Return the facts in effect, and what may be chosen instead."""
    agreed = policy.all_current(session, at=at)
    iban = str(agreed.pop("coop_iban"))
    return SettingsPage(agreed, iban[-4:], sorted(MINOR_EXPONENT), _zones())


def points_page(session: Session) -> PointsPage:
    """Return the pickup points with how many households fetch there, and the names of those that ended."""
    rows = session.execute(
        text(
            "SELECT p.id, p.name, p.place, p.hours, count(c.point_id), p.ended_at IS NOT NULL FROM pickup_point p"
            " LEFT JOIN (SELECT DISTINCT ON (household_id) point_id FROM pickup_choice ORDER BY household_id, id DESC) c"
            " ON c.point_id = p.id GROUP BY p.id ORDER BY p.name"
        )
    ).all()
    return PointsPage([PointRow(*row[:5]) for row in rows if not row[5]], [row.name for row in rows if row[5]])


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))

"""What the page about a season's rule shows: the versions, and whether another can still be chosen."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    rule: str
    memory: str
    credit_cap: int | None
    chosen_at: datetime
    chosen_by: str


@dataclass(frozen=True, slots=True)
class RulePage:
    """`versions` has the one that counts first; `fixed_since` is when the first pool opened, None before."""

    id: int
    name: str
    versions: list[Version]
    fixed_since: datetime | None


_VERSIONS = text("""
SELECT r.version, r.rule, r.memory, r.credit_cap, r.chosen_at, coalesce(p.name, 'the command line') AS chosen_by
  FROM season_rule r LEFT JOIN person p ON p.id = r.chosen_by
 WHERE r.season_id = :season ORDER BY r.version DESC
""")


def rule_page(session: Session, season_id: int) -> RulePage:
    """Return what a season shares out by, and what it would have before."""
    season = session.execute(
        text("SELECT name, (SELECT min(opened_at) FROM pool WHERE season_id = s.id) FROM season s WHERE id = :season"),
        {"season": season_id},
    ).first()
    if season is None:
        raise NotFound
    versions = [Version(*row) for row in session.execute(_VERSIONS, {"season": season_id})]
    return RulePage(season_id, season[0], versions, season[1])

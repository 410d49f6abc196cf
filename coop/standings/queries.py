"""How far standings reach: the largest balance of each season, beside the bound that the rule promises."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import MICRO


@dataclass(frozen=True, slots=True)
class Reach:
    """The largest balance, either way, in a season and a family of products, in micro-units.

    `bound_micro` is what nobody passes while the season is shared out by its standing alone; `is_promised` says
    whether that is so: no leaver's balance was spread, no households merged, no yield was corrected after publishing, no
    award was changed by hand, and no batch went by a rule of its own.
    """

    season: str
    family: str
    household_id: int
    household: str
    owed_micro: int
    members: int
    bound_micro: int
    is_promised: bool

    @property
    def owed_text(self) -> str:
        """The balance in pieces, to two places."""
        return _in_pieces(self.owed_micro)

    @property
    def bound_text(self) -> str:
        """The bound in pieces, to two places."""
        return _in_pieces(self.bound_micro)

    @property
    def is_within(self) -> bool:
        """Whether the largest balance keeps the bound."""
        return abs(self.owed_micro) <= self.bound_micro


_REACH = """
SELECT DISTINCT ON (s.season_id, s.family) n.name AS season, s.family, s.household_id, h.name AS household, s.owed_micro,
       count(*) OVER (PARTITION BY s.season_id, s.family) AS members,
       NOT EXISTS (SELECT FROM standing_event e WHERE e.season_id = s.season_id AND e.family = s.family AND e.owed_micro <> 0)
         AND NOT EXISTS (SELECT FROM allocation_run u JOIN pool o ON o.id = u.pool_id AND o.season_id = s.season_id
                           LEFT JOIN award_override v ON v.run_id = u.id AND v.state = 'approved' AND v.pieces <> v.computed
                          WHERE u.state IN ('published', 'superseded') AND (u.corrects_id IS NOT NULL OR v.id IS NOT NULL))
         AND NOT EXISTS (SELECT FROM offering f JOIN pool o ON o.id = f.pool_id AND o.season_id = s.season_id
                          WHERE coalesce(f.rule, n.rule) <> 'cea/standing@1') AS is_promised
  FROM standing s JOIN season n ON n.id = s.season_id JOIN household h ON h.id = s.household_id
 WHERE CAST(:season AS bigint) IS NULL OR s.season_id = :season
 ORDER BY s.season_id DESC, s.family, abs(s.owed_micro) DESC, s.household_id
 LIMIT :most
"""


def largest_balances(session: Session, *, most: int = 20) -> list[Reach]:
    """Return the largest balance of each season and family, latest season first."""
    return _reach(session, None, most)


def reach_of_season(session: Session, season_id: int) -> list[Reach]:
    """Return the largest balance of each family of products in a season."""
    return _reach(session, season_id, None)


def _reach(session: Session, season_id: int | None, most: int | None) -> list[Reach]:
    return [
        Reach(
            row.season,
            row.family,
            row.household_id,
            row.household,
            row.owed_micro,
            row.members,
            (row.members - 1) * MICRO // 2,
            row.is_promised,
        )
        for row in session.execute(text(_REACH), {"season": season_id, "most": most})
    ]


def _in_pieces(micro: int) -> str:
    hundredths = (abs(micro) * 100 + MICRO // 2) // MICRO
    return f"{'-' if micro < 0 and hundredths else ''}{hundredths // 100}.{hundredths % 100:02}"

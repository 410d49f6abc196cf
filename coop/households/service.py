"""What becomes of balances when two households merge, or one splits. People, shares and credit are moved on their own pages."""

from datetime import datetime

from sqlalchemy.orm import Session

from coop.allocation import service as allocation
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db
from coop.people.models import Household
from coop.seasons import service as seasons
from coop.seasons.models import Season
from coop.standings import service as standings


def merge_households(db: Db, season_id: int, *, kept: int, gone: int, by: int, at: datetime) -> int:
    """Add what a household is owed in a season to the one it merges into; return how many balances moved.

    Raises `same_household` and `run_under_way`.
    """
    with db.begin() as session:
        _start(session, season_id, kept, gone)
        moved = standings.merge(session, season_id, kept=kept, gone=gone, by=by, at=at)
        detail = {"season": season_id, "gone": gone, "balances": moved}
        audit.record(session, "merge_households", by=by, subject=("household", kept), detail=detail)
        return moved


def split_household(db: Db, season_id: int, *, staying: int, leaving: int, by: int, at: datetime) -> int:
    """Divide what a household is owed in a season with the one that splits off, by the share points that each holds now.

    Return how many balances moved. Raises `no_points` where either holds no share, `same_household` and `run_under_way`.
    """
    with db.begin() as session:
        _start(session, season_id, staying, leaving)
        points = seasons.weights(session, season_id, at=at, of=[staying, leaving])
        if len(points) < 2:
            raise RuleBroken(
                "no_points",
                "Balances are divided by share points: both households must hold a share of the season first.",
            )
        parts = {"staying": (staying, points[staying]), "leaving": (leaving, points[leaving])}
        moved = standings.split(session, season_id, **parts, by=by, at=at)
        detail = {"season": season_id, "leaving": leaving, "balances": moved}
        audit.record(session, "split_household", by=by, subject=("household", staying), detail=detail)
        return moved


def _start(session: Session, season_id: int, one: int, other: int) -> None:
    """Be the season's one writer, with no sharing out on its way that read the balances already."""
    if one == other:
        raise RuleBroken("same_household", "Name two different households.")
    if session.get(Season, season_id, with_for_update=True) is None:
        raise NotFound("There is no such season.")
    for household_id in (one, other):
        if session.get(Household, household_id) is None:
            raise NotFound("There is no such household.")
    allocation.check_at_rest(session, season_id)

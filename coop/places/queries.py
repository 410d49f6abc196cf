"""What a season share costs a household that takes it now."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import RuleBroken
from coop.core.late_shares import BY_POOLS, FULL, REFUSE, WHOLE, Rest, days_left
from coop.policy import service as policy
from coop.seasons import queries as seasons


@dataclass(frozen=True, slots=True)
class OfferPage:
    """A size of share at what it costs now; `rest` is the part of the season that this is for, `counted` in pools or days."""

    size_id: int
    name: str
    full_minor: int
    price_minor: int
    least_minor: int
    most_minor: int
    is_own_choice: bool
    rest: Rest
    counted: str


_POOLS = text("""
SELECT count(*) FILTER (WHERE closed_at IS NULL AND closes_at > :at) AS left, count(*) AS whole FROM pool WHERE season_id = :season
""")


def rest_of(
    session: Session, season_id: int, starts: date, ends: date, *, today: date, at: datetime
) -> tuple[Rest, str]:
    """Return for what part of a season a share is paid that is taken now, and whether pools or days are counted.

    A share of the first day is in time. Where no pool is planned yet, days count. Raises `season_started`.
    """
    way = policy.current(session, "late_shares", at=at)
    if today <= starts or way == FULL:
        return WHOLE, ""
    if way == REFUSE:
        raise RuleBroken("season_started", f"The season began on {starts:%d %B %Y}, and its shares are taken before it begins.")  # fmt: skip
    pools = session.execute(_POOLS, {"season": season_id, "at": at}).one()
    if way == BY_POOLS and pools.whole:
        if not pools.left:
            raise RuleBroken("season_started", "The last pool of this season has closed, so no share can be taken any more.")  # fmt: skip
        return Rest(pools.left, pools.whole), "pools"
    return days_left(today, starts, ends), "days"


def offer_page(session: Session, size_id: int, household_id: int, *, today: date, at: datetime) -> OfferPage:
    """Return a size of share at what it costs now. Raises `season_started` and NotFound."""
    size = seasons.size_page(session, size_id, household_id, today=today)
    season = session.execute(
        text("SELECT s.id, s.starts, s.ends FROM season s JOIN share_size z ON z.season_id = s.id WHERE z.id = :size"),
        {"size": size_id},
    ).one()
    rest, counted = rest_of(session, season.id, season.starts, season.ends, today=today, at=at)
    return OfferPage(
        size_id=size_id,
        name=size.name,
        full_minor=size.price_minor,
        price_minor=rest.of(size.price_minor),
        least_minor=rest.of(size.least_minor),
        most_minor=rest.of(size.most_minor),
        is_own_choice=size.is_own_choice,
        rest=rest,
        counted=counted,
    )

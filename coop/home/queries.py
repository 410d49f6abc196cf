"""What the first pages show: the co-op to a visitor, and to a member what can be done now."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.ledger import MEMBER_CREDIT, ORDER_HOLD
from coop.core.money import half_up
from coop.ledger.queries import household_balances
from coop.makers.queries import BatchCard, latest_batches
from coop.seasons.queries import CURRENT, SeasonPage, current_season_page

CARDS: Final = 8
FEW: Final = 3


@dataclass(frozen=True, slots=True)
class OpenPool:
    id: int
    name: str
    closes_at: datetime
    pickup_on: date
    batches: int
    lines: int
    at_most_minor: int


@dataclass(frozen=True, slots=True)
class FrontPage:
    season: SeasonPage | None
    pools: list[OpenPool]
    batches: list[BatchCard]
    makers: int


@dataclass(frozen=True, slots=True)
class OwnSize:
    """A size of share that the household holds (`share_id`, with what is still to be paid) or waits for (`place`)."""

    name: str
    share_id: int | None
    owed_minor: int
    place: int | None


@dataclass(frozen=True, slots=True)
class OwnSeason:
    """The season that runs now, or is nearest, with the sizes that the household holds or waits for."""

    id: int
    name: str
    is_over: bool
    sizes: list[OwnSize]


@dataclass(frozen=True, slots=True)
class AwardedPool:
    """A published pool: what the household asked and what it gets."""

    id: int
    name: str
    wished: int
    pieces: int
    lines_short: int
    pickup_on: date


@dataclass(frozen=True, slots=True)
class WaitingPool:
    """A pool that closed with an order of the household and is not published yet."""

    id: int
    name: str
    pickup_on: date


@dataclass(frozen=True, slots=True)
class PickupPoint:
    name: str
    place: str
    hours: str


@dataclass(frozen=True, slots=True)
class Owed:
    """What rounding left the household owed (or ahead, below 0) in a family of products, in tenths of a piece."""

    family: str
    tenths: int

    @property
    def words(self) -> str:
        """Write it in pieces."""
        whole, tenth = divmod(abs(self.tenths), 10)
        return f"{whole}.{tenth} of a piece"


@dataclass(frozen=True, slots=True)
class MemberPage:
    season: OwnSeason | None
    pools: list[OpenPool]
    waiting: list[WaitingPool]
    awarded: list[AwardedPool]
    credit_minor: int
    held_minor: int
    owed: list[Owed]
    point: PickupPoint | None
    received: int


@dataclass(frozen=True, slots=True)
class SharingPage:
    season: SeasonPage | None


_SEASON = text(f"""
SELECT s.id, s.name, s.ends, z.id AS size_id, z.name AS size, h.id AS share_id,
       coalesce((SELECT sum(i.amount_minor) FROM instalment i WHERE i.share_id = h.id AND i.released_at IS NULL), 0) AS owed,
       (SELECT count(*) FROM share_wait o WHERE o.size_id = z.id AND o.ended_at IS NULL AND o.id <= w.id) AS place
  FROM (SELECT * FROM season {CURRENT}) s
  LEFT JOIN (share_size z
    LEFT JOIN season_share h ON h.size_id = z.id AND h.household_id = :household AND h.ended_at IS NULL
    LEFT JOIN share_wait w ON w.size_id = z.id AND w.household_id = :household AND w.ended_at IS NULL)
    ON z.season_id = s.id AND (h.id IS NOT NULL OR w.id IS NOT NULL)
 ORDER BY z.weight, z.price_minor, z.id
""")  # noqa: S608 - put together from constants only

_OPEN = text("""
SELECT p.id, p.name, p.closes_at, p.pickup_on, (SELECT count(*) FROM offering f WHERE f.pool_id = p.id) AS batches,
       coalesce(m.lines, 0) AS lines, coalesce(m.at_most, 0) AS at_most
  FROM pool p LEFT JOIN LATERAL (SELECT count(*) AS lines, sum(coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor))) AS at_most
    FROM household_order o JOIN order_line l ON l.order_id = o.id
   WHERE o.pool_id = p.id AND o.household_id = :household AND l.up_to > 0) m ON true
 WHERE p.opened_at IS NOT NULL AND p.closed_at IS NULL AND p.closes_at >= :at ORDER BY p.closes_at, p.id LIMIT 5
""")

_ORDERED = text("""
SELECT p.id, p.name, p.pickup_on, r.id IS NOT NULL AS is_published, coalesce(got.wished, 0) AS wished,
       coalesce(got.pieces, 0) AS pieces, coalesce(got.lines_short, 0) AS lines_short
  FROM (SELECT q.* FROM pool q JOIN household_order o ON o.pool_id = q.id AND o.household_id = :household
         WHERE q.closed_at IS NOT NULL OR (q.opened_at IS NOT NULL AND q.closes_at < :at)
         ORDER BY q.closes_at DESC, q.id DESC LIMIT 3) p
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  LEFT JOIN LATERAL (SELECT sum(l.wish) AS wished, sum(a.pieces) AS pieces,
           count(*) FILTER (WHERE a.pieces < l.wish) AS lines_short
      FROM household_order o JOIN order_line l ON l.order_id = o.id
      JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
     WHERE o.pool_id = p.id AND o.household_id = :household) got ON true
 ORDER BY p.pickup_on DESC, p.id DESC
""")

_MINE = text("""
SELECT (SELECT json_build_object('name', p.name, 'place', p.place, 'hours', p.hours) FROM pickup_choice c
          JOIN pickup_point p ON p.id = c.point_id AND p.ended_at IS NULL
         WHERE c.id = (SELECT max(id) FROM pickup_choice WHERE household_id = :household)) AS point,
       (SELECT json_agg(json_build_array(t.family, t.owed_micro) ORDER BY t.family) FROM standing t
         WHERE t.season_id = :season AND t.household_id = :household AND t.owed_micro <> 0) AS owed,
       (SELECT coalesce(sum(h.pieces), 0) FROM household_order o JOIN pool p ON p.id = o.pool_id AND p.season_id = :season
          JOIN hand_over u ON u.order_id = o.id JOIN hand_over_line h ON h.hand_over_id = u.id
         WHERE o.household_id = :household) AS received
""")


def front_page(session: Session, *, at: datetime, today: date) -> FrontPage:
    """Return the co-op as a visitor meets it."""
    pools = _open_pools(session, 0, at=at)
    batches, _ = latest_batches(session, at=at, most=CARDS, only_open=bool(pools))
    return FrontPage(
        season=current_season_page(session, None, today=today),
        pools=pools,
        batches=batches,
        makers=session.execute(text("SELECT count(*) FROM artisan WHERE left_at IS NULL")).scalar_one(),
    )


def member_page(session: Session, household_id: int, *, at: datetime, today: date) -> MemberPage:
    """Return what a member can do now, what came of the last orders, and where the household stands."""
    season = _own_season(session, household_id, today=today)
    asked = {"household": household_id, "at": at, "season": season.id if season else 0}
    ordered = session.execute(_ORDERED, asked).all()
    mine = session.execute(_MINE, asked).one()
    kept = household_balances(session, household_id)
    return MemberPage(
        season=season,
        pools=_open_pools(session, household_id, at=at),
        waiting=[WaitingPool(row.id, row.name, row.pickup_on) for row in ordered if not row.is_published],
        awarded=[_awarded(row) for row in ordered if row.is_published],
        credit_minor=kept[MEMBER_CREDIT],
        held_minor=kept[ORDER_HOLD],
        owed=[Owed(family, half_up(micro, 100_000)) for family, micro in mine.owed or [] if half_up(micro, 100_000)],
        point=PickupPoint(**mine.point) if mine.point else None,
        received=int(mine.received),
    )


def sharing_page(session: Session, *, today: date) -> SharingPage:
    """Return the rule in force."""
    return SharingPage(current_season_page(session, None, today=today))


def _own_season(session: Session, household_id: int, *, today: date) -> OwnSeason | None:
    found = session.execute(_SEASON, {"today": today, "household": household_id}).all()
    if not found:
        return None
    sizes = [OwnSize(row.size, row.share_id, int(row.owed), row.place or None) for row in found if row.size_id]
    return OwnSeason(found[0].id, found[0].name, today > found[0].ends, sizes)


def _open_pools(session: Session, household_id: int, *, at: datetime) -> list[OpenPool]:
    rows = session.execute(_OPEN, {"household": household_id, "at": at})
    return [
        OpenPool(row.id, row.name, row.closes_at, row.pickup_on, row.batches, row.lines, int(row.at_most))
        for row in rows
    ]


def _awarded(row: Any) -> AwardedPool:
    return AwardedPool(row.id, row.name, int(row.wished), int(row.pieces), row.lines_short, row.pickup_on)

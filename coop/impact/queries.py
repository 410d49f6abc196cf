"""What a season comes to by the ledger, and the public page over what was published of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.ledger import DEPOSITS_HELD, ORDER_HOLD, OWED_TO_MAKER, TAX_PAYABLE
from coop.core.money import half_up, minor_exponent
from coop.core.season import local_day
from coop.policy import service as policy
from coop.seasons.queries import current_season_id

ByMaker = dict[int, int]


class Measured(NamedTuple):
    """A season as the ledger has it now. Amounts in minor units, `paid` and `nets` by maker, prices without deposits."""

    paid: ByMaker
    paid_by_pool: dict[str, ByMaker]
    nets: ByMaker
    prices: int
    taxes: int
    awarded: int
    wished: int
    batches: int
    served: int
    wishing: int
    lines_by_days: dict[int, int]
    lines: int
    makers: int
    members: int


_PAID = text("""
SELECT q.name, t.artisan_id, sum(s.amount_minor)::bigint AS minor
  FROM pool q
  JOIN household_order o ON o.pool_id = q.id
  JOIN order_line l ON l.order_id = o.id
  JOIN posting p ON p.line_id = l.id
  JOIN statement_line s ON s.entry_id = p.entry_id AND s.n = p.n AND s.live
  JOIN statement t ON t.id = s.statement_id
  JOIN payment y ON y.statement_id = t.id AND y.settled_on IS NOT NULL AND y.returned_on IS NULL
 WHERE q.season_id = :season GROUP BY q.id, q.name, t.artisan_id ORDER BY q.closes_at, q.id, t.artisan_id
""")

_EARNED = text("""
SELECT a.code, CASE a.code WHEN :makers THEN substr(a.party, 9)::bigint ELSE 0 END AS artisan_id, sum(p.amount)::bigint AS minor,
       count(*) AS postings
  FROM pool q
  JOIN household_order o ON o.pool_id = q.id
  JOIN hand_over h ON h.order_id = o.id
  JOIN posting p ON p.entry_id = h.entry_id
  JOIN account a ON a.id = p.account_id
 WHERE q.season_id = :season GROUP BY 1, 2
""")

_FILLED = text("""
WITH lines AS (
  SELECT o.household_id, a.offering_id, l.wish, least(a.pieces, l.wish) AS awarded
    FROM pool q
    JOIN allocation_run r ON r.pool_id = q.id AND r.state = 'published'
    JOIN award a ON a.run_id = r.id
    JOIN order_line l ON l.id = a.line_id AND l.wish > 0
    JOIN household_order o ON o.id = l.order_id
   WHERE q.season_id = :season),
households AS (SELECT bool_and(awarded = wish) AS served FROM lines GROUP BY household_id)
SELECT coalesce(sum(awarded), 0)::bigint AS awarded, coalesce(sum(wish), 0)::bigint AS wished, count(DISTINCT offering_id) AS batches,
       (SELECT count(*) FROM households) AS wishing, (SELECT count(*) FROM households WHERE served) AS served
  FROM lines
""")

_SPEED = text("""
SELECT y.settled_on - e.business_date AS days, count(*) AS lines
  FROM pool q
  JOIN household_order o ON o.pool_id = q.id
  JOIN hand_over h ON h.order_id = o.id
  JOIN entry e ON e.id = h.entry_id
  JOIN statement_line s ON s.entry_id = e.id AND s.live
  JOIN payment y ON y.statement_id = s.statement_id AND y.settled_on IS NOT NULL AND y.returned_on IS NULL
 WHERE q.season_id = :season GROUP BY 1
""")

_HEADS = text("""
SELECT (SELECT count(DISTINCT p.artisan_id) FROM pool q JOIN offering f ON f.pool_id = q.id JOIN product p ON p.id = f.product_id
         WHERE q.season_id = :season AND q.opened_at IS NOT NULL) AS makers,
       (SELECT count(*) FROM (
          SELECT h.household_id FROM season_share h JOIN share_size z ON z.id = h.size_id
           WHERE z.season_id = :season AND h.ended_at IS NULL
          UNION SELECT o.household_id FROM household_order o JOIN pool q ON q.id = o.pool_id
           WHERE q.season_id = :season) x) AS members
""")


def measured(session: Session, season_id: int) -> Measured:
    """Measure a season whole, from postings and published awards."""
    asked = {"season": season_id}
    by_pool: dict[str, ByMaker] = {}
    paid: ByMaker = defaultdict(int)
    for pool, artisan_id, minor in session.execute(_PAID, asked):
        by_pool.setdefault(pool, {})[artisan_id] = minor
        paid[artisan_id] += minor
    earned = session.execute(_EARNED, asked | {"makers": OWED_TO_MAKER}).all()
    sums: dict[int, int] = defaultdict(int)
    for row in earned:
        sums[row.code] += row.minor
    filled = session.execute(_FILLED, asked).one()
    heads = session.execute(_HEADS, asked).one()
    return Measured(
        paid=dict(paid),
        paid_by_pool=by_pool,
        nets={row.artisan_id: -row.minor for row in earned if row.code == OWED_TO_MAKER},
        prices=sums[ORDER_HOLD] + sums[DEPOSITS_HELD],
        taxes=-sums[TAX_PAYABLE],
        awarded=filled.awarded,
        wished=filled.wished,
        batches=filled.batches,
        served=filled.served,
        wishing=filled.wishing,
        lines_by_days={row.days: row.lines for row in session.execute(_SPEED, asked)},
        lines=sum(row.postings for row in earned if row.code == OWED_TO_MAKER),
        makers=heads.makers,
        members=heads.members,
    )


LABELS: Final = {
    "paid_to_makers": "Paid to makers",
    "makers_part_of_ten": "Makers' part of each 10",
    "fill_rate": "Wishes filled",
    "members_fully_served": "Members who got all they wished",
    "pay_speed": "From pickup to pay",
    "makers": "Makers",
    "members": "Member households",
}


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    label: str
    value: int | None
    unit: str
    formula: str
    as_of: date
    coverage: str
    withheld: str


@dataclass(frozen=True, slots=True)
class PoolPaid:
    label: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of each 10 that members paid, as the bar shows it: its size and text are the same minor units."""

    label: str
    size: int
    tone: str
    href: str = "#makers_part_of_ten"


@dataclass(frozen=True, slots=True)
class Earlier:
    id: int
    season: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class ImpactPage:
    """The published figures of a season, or none yet; `publishable` is the season that an admin may publish figures of."""

    season: str
    taken_at: datetime | None
    ten_minor: int
    figures: list[Shown]
    by_pool: list[PoolPaid]
    earlier: list[Earlier]
    publishable: int | None

    def figure(self, name: str) -> Shown:
        """Return a figure by its name."""
        return next(shown for shown in self.figures if shown.name == name)

    @property
    def of_ten(self) -> list[Part]:
        """Split each 10 that members paid for goods; nothing where the makers' part is withheld."""
        makers = self.figure("makers_part_of_ten").value
        if makers is None:
            return []
        return [Part("to the makers", makers, "clay"), Part("to run the co-op", self.ten_minor - makers, "honey")]

    @property
    def most_minor(self) -> int:
        """The highest payment of a pool: the length of a whole bar."""
        return max((paid.size for paid in self.by_pool), default=0)


_SNAPSHOTS = """
SELECT s.id, s.taken_at, s.figures, s.by_pool, n.name AS season FROM snapshot s JOIN season n ON n.id = s.season_id
 ORDER BY s.taken_at DESC, s.id DESC LIMIT 25
"""


def impact_page(session: Session, snapshot_id: int | None, *, at: datetime) -> ImpactPage:
    """Return a published snapshot, by default the latest, with the way to the others."""
    rows = session.execute(text(_SNAPSHOTS)).all()
    chosen = next((row for row in rows if snapshot_id in {None, row.id}), None)
    if chosen is None and snapshot_id is not None:
        raise NotFound
    others = [Earlier(row.id, row.season, row.taken_at) for row in rows if chosen and row.id != chosen.id]
    agreed = policy.all_current(session, at=at)
    publishable = current_season_id(session, today=local_day(at, agreed["zone"]))
    ten = 10 * 10 ** minor_exponent(agreed["currency"])
    if chosen is None:
        return ImpactPage("", None, ten, [], [], [], publishable)
    return ImpactPage(
        season=chosen.season,
        taken_at=chosen.taken_at,
        ten_minor=ten,
        figures=[_shown(kept) for kept in chosen.figures],
        by_pool=[PoolPaid(kept["pool"], kept["minor"]) for kept in chosen.by_pool],
        earlier=others,
        publishable=publishable,
    )


def _shown(kept: dict[str, Any]) -> Shown:
    value = kept["value"]
    if value is not None and kept["unit"] == "basis_points":
        value = 10 * half_up(value, 10)  # one decimal of a percent says enough
    return Shown(
        name=kept["name"],
        label=LABELS[kept["name"]],
        value=value,
        unit=kept["unit"],
        formula=kept["formula"],
        as_of=date.fromisoformat(kept["as_of"]),
        coverage=kept["coverage"],
        withheld=kept["withheld"],
    )

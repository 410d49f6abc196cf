"""What the pages about ordering show: the pools, one pool with its batches, and a household's own lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound
from coop.core.hardship import NO_HELP, at_most_of
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.core.paging import Slice
from coop.hardship import service as hardship
from coop.shelves.queries import shelf_part

A_PAGE: Final = 50
LINES_SHOWN: Final = 12
"""Lines of an order that the page lists beside the batches; the rest are counted."""


def fund_bears(pieces: str) -> str:
    """Return the SQL of what the hardship fund bears for so many pieces of an order line `l`, as `core.hardship.fund_part` says."""
    household = f"(2 * {pieces} * (l.up_to * l.unit_minor - l.fund_minor) + l.up_to) / (2 * l.up_to)"
    return f"CASE WHEN l.fund_minor = 0 THEN 0 ELSE {pieces} * l.unit_minor - {household} END"


def pool_state(opened_at: datetime | None, closed_at: datetime | None, closes_at: datetime, at: datetime) -> str:
    """Say where a pool stands as far as ordering goes: planned, open or closed."""
    if opened_at is None:
        return "planned"
    return "closed" if closed_at is not None or at > closes_at else "open"


@dataclass(frozen=True, slots=True)
class PoolRow:
    id: int
    name: str
    season: str
    state: str
    closes_at: datetime
    pickup_on: date
    batches: int
    lines: int
    at_most_minor: int


@dataclass(frozen=True, slots=True)
class PoolsPage:
    rows: list[PoolRow]
    part: Slice


class OfferRow(NamedTuple):
    """One batch on the order page, with what this household asks of it; `planned` is what was reported, if anything was.

    A tuple, because a page makes fifty of them and looks each up among the rows that were written before.
    """

    id: int
    batch_id: int
    product: str
    line: str
    unit: str
    picture: str | None
    min_age: int | None
    lot_number: str
    maker_id: int
    maker: str
    craft: str
    distance_km: int | None
    planned: int
    pessimistic: int | None
    is_reported: bool
    wanted: int
    claims: int
    price_minor: int
    deposit_minor: int
    cap: int | None
    own_rule: str | None
    rule: str
    wish: int
    up_to: int
    choice: int | None
    tier_bp: int

    @property
    def may_stand_in(self) -> bool:
        """Whether the batch can be an alternative of another, or have some."""
        return self.rule == TOGETHER_RULE

    @property
    def each_minor(self) -> int:
        """What one piece costs this household at most: its part of the price, rounded up, and the deposit."""
        return at_most_of(self.price_minor, self.tier_bp) + self.deposit_minor

    @property
    def words(self) -> str:
        """What stands under the product's name: its line, whose it is where no heading says so, lot and age."""
        said = [self.line]
        said += [f"{self.maker}."] if self.up_to else []
        said += [] if self.picture else [f"Lot {self.lot_number}."]
        said += [f"{self.min_age}+, checked at pickup."] if self.min_age else []
        return " ".join(word for word in said if word)

    @property
    def supply_words(self) -> str:
        """Say what is made and what is wanted, as the bar shows it."""
        made = f"{self.planned:,} {self.unit} {'made' if self.is_reported else 'planned'}"
        return f"{made} · {self.wanted:,} wanted"


@dataclass(frozen=True, slots=True)
class OfferGroup:
    """Batches under one heading: those already in the order, then maker by maker."""

    heading: str
    maker_id: int | None
    words: str
    offers: list[OfferRow]


@dataclass(frozen=True, slots=True)
class BillLine:
    label: str
    amount: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class PoolPage:
    id: int
    name: str
    season: str
    state: str
    opens_at: datetime
    closes_at: datetime
    pickup_on: date
    rule: str
    may_order: bool
    sought: str
    groups: list[OfferGroup]
    part: Slice
    lines: list[BillLine]
    lines_beyond: int
    at_most_minor: int
    elsewhere_minor: int
    credit_minor: int
    most_minor: int | None
    recipe: str | None
    tier_bp: int


class _Line(NamedTuple):
    """A line of the household's order."""

    offering_id: int
    product: str
    wish: int
    up_to: int
    choice: int | None
    held_minor: int


_POOLS = text("""
SELECT p.id, p.name, s.name AS season, p.opened_at, p.closed_at, p.closes_at, p.pickup_on,
       (SELECT count(*) FROM offering f WHERE f.pool_id = p.id) AS batches,
       mine.lines, mine.at_most, count(*) OVER () AS total
  FROM pool p JOIN season s ON s.id = p.season_id
  LEFT JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) - l.fund_held_minor), 0) AS at_most
    FROM household_order o JOIN order_line l ON l.order_id = o.id
   WHERE o.pool_id = p.id AND o.household_id = :household AND l.up_to > 0) mine ON true
 WHERE :mine = false OR mine.lines > 0
 ORDER BY p.closes_at DESC, p.id DESC LIMIT :most OFFSET :skipped
""")

# In the order of the ids that are asked for.
_OFFERS = text("""
SELECT f.id, f.batch_id, p.name AS product, p.line, p.unit_many AS unit, p.picture, p.min_age, b.lot_number,
       a.id AS maker_id, a.name AS maker, a.craft, a.distance_km, coalesce(y.pieces, b.planned) AS planned,
       b.pessimistic, y.pieces IS NOT NULL AS is_reported, n.wanted, n.claims,
       f.price_minor, f.deposit_minor, f.cap, f.rule AS own_rule, coalesce(f.rule, :rule) AS rule
  FROM unnest(CAST(:shown AS bigint[])) WITH ORDINALITY AS shown (id, place)
  JOIN offering f ON f.id = shown.id
  JOIN product p ON p.id = f.product_id
  JOIN artisan a ON a.id = p.artisan_id
  JOIN batch b ON b.id = f.batch_id
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  CROSS JOIN LATERAL (SELECT coalesce(sum(wish), 0)::bigint AS wanted, count(*) FILTER (WHERE up_to > 0) AS claims
    FROM order_line WHERE offering_id = f.id) n
 ORDER BY shown.place
""")


def pools_page(session: Session, household_id: int, *, number: int, at: datetime, only_mine: bool = False) -> PoolsPage:
    """Return pools, the latest first, with what the household asked in each."""
    found = session.execute(
        _POOLS,
        {"household": household_id, "mine": only_mine, "most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    rows = [
        PoolRow(
            id=row.id,
            name=row.name,
            season=row.season,
            state=pool_state(row.opened_at, row.closed_at, row.closes_at, at),
            closes_at=row.closes_at,
            pickup_on=row.pickup_on,
            batches=row.batches,
            lines=row.lines,
            at_most_minor=int(row.at_most),
        )
        for row in found
    ]
    return PoolsPage(rows, Slice(number, A_PAGE, found[0].total if found else 0))


def pool_page(session: Session, pool_id: int, household_id: int, sought: str, *, number: int, at: datetime) -> PoolPage:
    """Return fifty of a pool's batches, those in the household's order first, and the sum of its whole order."""
    whose = {"household": household_id, "credit": MEMBER_CREDIT, "party": household_party(household_id)}
    pool = session.execute(_POOL, {"pool": pool_id} | whose).first()
    if pool is None:
        raise NotFound
    mine = [_Line(*line) for line in pool.mine]
    tier_bp = (hardship.tier_of(session, household_id, at=at) if pool.has_tier else NO_HELP).tier_bp
    own = {line.offering_id: line for line in mine}
    ids, part = shelf_part(session, pool_id, pool.shelf_version, own, sought, number=number, size=A_PAGE)
    offers = _offers(session, pool.rule, ids, own, tier_bp)
    shown = {offer.id for offer in offers if not offer.choice}
    lines = _bill_lines(mine)
    return PoolPage(
        id=pool.id,
        name=pool.name,
        season=pool.season,
        state=pool_state(pool.opened_at, pool.closed_at, pool.closes_at, at),
        opens_at=pool.opens_at,
        closes_at=pool.closes_at,
        pickup_on=pool.pickup_on,
        rule=pool.rule,
        may_order=pool.guests_may_order or pool.has_share,
        sought=sought,
        groups=_grouped(offers),
        part=part,
        lines=lines[:LINES_SHOWN],
        lines_beyond=max(0, len(lines) - LINES_SHOWN),
        at_most_minor=sum(line.held_minor for line in mine),
        elsewhere_minor=sum(line.held_minor for line in mine if line.offering_id not in shown),
        credit_minor=pool.credit_minor,
        most_minor=pool.most_minor,
        recipe=pool.recipe,
        tier_bp=tier_bp,
    )


def _offers(session: Session, rule: str, ids: Sequence[int], own: Mapping[int, _Line], tier_bp: int) -> list[OfferRow]:
    """Read some batches, in the order given."""
    offers = []
    for row in session.execute(_OFFERS, {"shown": ids, "rule": rule}):
        line = own.get(row.id)
        asks: tuple[Any, ...] = (line.wish, line.up_to, line.choice, tier_bp) if line else (0, 0, None, tier_bp)
        offers.append(OfferRow(*row, *asks))
    return offers


_POOL = text("""
SELECT p.id, p.name, s.name AS season, p.opened_at, p.closed_at, p.opens_at, p.closes_at, p.pickup_on, s.rule,
       s.guests_may_order, EXISTS (SELECT FROM season_share h JOIN share_size z ON z.id = h.size_id
         WHERE z.season_id = s.id AND h.household_id = :household
           AND h.taken_at <= coalesce(p.opened_at, p.opens_at)
           AND (h.ended_at IS NULL OR h.ended_at > coalesce(p.opened_at, p.opens_at))) AS has_share,
       coalesce((SELECT -b.amount FROM account a JOIN balance b ON b.account_id = a.id
                  WHERE a.code = :credit AND a.party = :party), 0) AS credit_minor, o.most_minor, o.recipe,
       EXISTS (SELECT FROM hardship_tier t WHERE t.household_id = :household AND t.ended_at IS NULL) AS has_tier,
       p.shelf_version, (SELECT coalesce(json_agg(json_build_array(l.offering_id, d.name, l.wish, l.up_to, l.choice,
           coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor)) - l.fund_held_minor)
         ORDER BY coalesce(l.choice, 0), l.rank, lower(d.name), l.id), '[]')
         FROM order_line l JOIN offering f ON f.id = l.offering_id JOIN product d ON d.id = f.product_id
        WHERE l.order_id = o.id AND l.up_to > 0) AS mine
  FROM pool p JOIN season s ON s.id = p.season_id
  LEFT JOIN household_order o ON o.pool_id = p.id AND o.household_id = :household
 WHERE p.id = :pool
""")


def _bill_lines(mine: Sequence[_Line]) -> list[BillLine]:
    """List what an order costs at most: each wish, and each choice with its alternatives on one line."""
    lines = []
    for _, own in groupby(mine, key=lambda line: (line.choice, line.choice or line.offering_id)):
        rows = list(own)
        names = " or ".join(row.product for row in rows)
        lines.append(BillLine(f"{rows[0].up_to} \N{MULTIPLICATION SIGN} {names}", sum(row.held_minor for row in rows)))
    return lines


def _grouped(offers: Sequence[OfferRow]) -> list[OfferGroup]:
    """Put rows that stand in their final order under headings."""
    groups: list[OfferGroup] = []
    for offer in offers:
        maker_id = None if offer.up_to else offer.maker_id
        if not groups or groups[-1].maker_id != maker_id:
            heading, words = (offer.maker, _maker_words(offer)) if maker_id else ("In your order", "")
            groups.append(OfferGroup(heading, maker_id, words, []))
        groups[-1].offers.append(offer)
    return groups


def _maker_words(offer: OfferRow) -> str:
    away = f"{offer.distance_km} km away" if offer.distance_km is not None else ""
    return " · ".join(word for word in (offer.craft, away) if word)

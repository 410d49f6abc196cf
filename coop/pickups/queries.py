"""What packers see of one order: a household by name, pieces, and who handed over what. Never money, never a mail address."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.hardship import fund_part
from coop.core.ledger import artisan_party, household_party
from coop.core.paging import Slice
from coop.core.payout import Earned, HandedOver, Line, Model, Standing, Terms, earned_by, makers_parts
from coop.db import raw

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PackedLine:
    line_id: int
    product: str
    maker: str
    lot_number: str
    unit: str
    awarded: int
    handed: int
    min_age: int | None

    @property
    def waiting(self) -> int:
        """Pieces still to be handed over."""
        return self.awarded - self.handed


@dataclass(frozen=True, slots=True)
class HandedRow:
    words: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class TickPage:
    order_id: int
    household_id: int
    pool_id: int
    pool: str
    household: str
    point: str
    pickup_on: date
    is_published: bool
    lines: list[PackedLine]
    part: Slice
    pieces_waiting: int
    pieces_awarded: int
    handed: list[HandedRow]

    @property
    def min_age(self) -> int:
        """The age to check for what is shown; 0 where none is asked."""
        return max((line.min_age or 0 for line in self.lines if line.waiting), default=0)

    @property
    def for_age(self) -> str:
        """What the age is checked for."""
        return ", ".join(line.product for line in self.lines if line.min_age and line.waiting)


@dataclass(frozen=True, slots=True)
class PointChoice:
    id: int
    name: str
    place: str
    hours: str


@dataclass(frozen=True, slots=True)
class PointsPage:
    points: list[PointChoice]
    chosen_id: int | None


CHOSEN = (
    " LEFT JOIN LATERAL (SELECT point_id FROM pickup_choice WHERE household_id = o.household_id ORDER BY id DESC LIMIT 1) c ON true"
    " LEFT JOIN pickup_point pt ON pt.id = c.point_id AND pt.ended_at IS NULL"
)
AWARDED = (
    " JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'"
    " JOIN order_line l ON l.order_id = o.id"
    " JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id AND a.pieces > 0"
    " LEFT JOIN LATERAL (SELECT coalesce(sum(hl.pieces), 0)::bigint AS pieces FROM hand_over_line hl WHERE hl.line_id = l.id) h ON true"
)
PUBLISHED = "EXISTS (SELECT FROM allocation_run r WHERE r.pool_id = p.id AND r.state = 'published')"


def tick_page(session: Session, order_id: int, *, number: int, shown: Collection[int] = ()) -> TickPage:
    """Return an order to tick off: fifty lines that wait, those just sent with a form, and what was handed over before."""
    order = session.execute(
        text(
            "SELECT o.id, o.pool_id, o.household_id, p.name AS pool, hh.name AS household, coalesce(pt.name, '') AS point, p.pickup_on,"  # noqa: S608 - constants only
            f" {PUBLISHED} AS is_published FROM household_order o JOIN pool p ON p.id = o.pool_id"
            f" JOIN household hh ON hh.id = o.household_id{CHOSEN} WHERE o.id = :order"
        ),
        {"order": order_id},
    ).first()
    if order is None:
        raise NotFound
    lines = packed(session, [order_id])[order_id]
    waiting = [line for line in lines if line.waiting or line.line_id in shown]
    part = Slice(number, A_PAGE, len(waiting))
    return TickPage(
        order_id=order.id,
        household_id=order.household_id,
        pool_id=order.pool_id,
        pool=order.pool,
        household=order.household,
        point=order.point,
        pickup_on=order.pickup_on,
        is_published=order.is_published,
        lines=waiting[part.skipped : part.skipped + A_PAGE],
        part=part,
        pieces_waiting=sum(line.waiting for line in lines),
        pieces_awarded=sum(line.awarded for line in lines),
        handed=[HandedRow(*row) for row in session.execute(_HANDED, {"order": order_id})],
    )


def points_page(session: Session, household_id: int) -> PointsPage:
    """Return where a household can fetch, and where it does."""
    points = session.execute(
        text("SELECT id, name, place, hours FROM pickup_point WHERE ended_at IS NULL ORDER BY name")
    )
    chosen = session.scalar(
        text("SELECT point_id FROM pickup_choice WHERE household_id = :household ORDER BY id DESC LIMIT 1"),
        {"household": household_id},
    )
    return PointsPage([PointChoice(*row) for row in points], chosen)


_LINES = text(f"""
SELECT o.id, l.id, p.name, m.name, b.lot_number, CASE WHEN a.pieces - h.pieces = 1 THEN p.unit_one ELSE p.unit_many END,
       a.pieces, h.pieces, p.min_age
  FROM household_order o {AWARDED}
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product p ON p.id = f.product_id
  JOIN artisan m ON m.id = p.artisan_id
 WHERE o.id = ANY(:orders) ORDER BY o.id, m.name, p.name, l.id
""")  # noqa: S608 - put together from the text above only

_HANDED = text(f"""
SELECT string_agg(p.name || ': ' || hl.pieces, ', ' ORDER BY p.name), ho.handed_at, coalesce(by.name, 'the co-op')
  FROM hand_over ho
  JOIN hand_over_line hl ON hl.hand_over_id = ho.id
  JOIN order_line l ON l.id = hl.line_id
  JOIN offering f ON f.id = l.offering_id
  JOIN product p ON p.id = f.product_id
  LEFT JOIN person by ON by.id = ho.handed_by
 WHERE ho.order_id = :order
 GROUP BY ho.id, by.name ORDER BY ho.handed_at DESC, ho.id DESC LIMIT {A_PAGE}
""")  # noqa: S608 - as above


def packed(session: Session, order_ids: Sequence[int]) -> dict[int, list[PackedLine]]:
    """Return what orders were awarded, line by line, and how much of it was fetched."""
    found: dict[int, list[PackedLine]] = defaultdict(list)
    for order_id, *line in session.execute(_LINES, {"orders": order_ids}):
        found[order_id].append(PackedLine(*line))
    return found


class DueLine(NamedTuple):
    """A line of a published pool: what was awarded, handed over and found bad since, its prices and terms, and what stands in the books."""

    order_id: int
    household_id: int
    line_id: int
    offering_id: int
    product: str
    awarded: int
    handed: int
    noted: int
    unit_minor: int
    deposit_minor: int
    up_to: int
    fund_minor: int
    artisan_id: int
    min_age: int | None
    model: str
    fee_bp: int
    fee_tax_bp: int
    price_tax_bp: int
    cost_minor: int
    fee_stands: int
    tax_stands: int
    net_stands: int
    fund_handed: int

    def earns(self, pieces: int, *, fee_bp: int | None = None) -> Earned:
        """Return what more pieces earn, or fewer where negative, by the line's own fee or another from now on."""
        terms = Terms(Model(self.model), self.fee_bp if fee_bp is None else fee_bp, self.fee_tax_bp, self.price_tax_bp)
        line = Line(self.unit_minor, self.deposit_minor, terms, self.cost_minor)
        stands = Standing(self.handed - self.noted, self.fee_stands, self.tax_stands, self.net_stands)
        return earned_by(line, stands, pieces)

    def fund_bears(self, pieces: int) -> int:
        """Return what the hardship fund bears of so many pieces of this line."""
        return fund_part(pieces, self.up_to, self.unit_minor, self.fund_minor)


_DUE: Final = """
SELECT o.id AS order_id, o.household_id, l.id AS line_id, f.id AS offering_id, p.name AS product, a.pieces AS awarded,
       coalesce(h.pieces, 0)::bigint AS handed, coalesce(m.noted, 0)::bigint AS noted, l.unit_minor, l.deposit_minor, l.up_to,
       l.fund_minor, p.artisan_id, p.min_age, t.model, coalesce(m.fee_bp, t.fee_bp), t.fee_tax_bp, t.price_tax_bp, f.cost_minor,
       (coalesce(h.fee, 0) + coalesce(m.fee, 0))::bigint, (coalesce(h.tax, 0) + coalesce(m.tax, 0))::bigint,
       (coalesce(h.net, 0) + coalesce(m.net, 0))::bigint, coalesce(h.fund, 0)::bigint
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id
  JOIN offering f ON f.id = l.offering_id
  JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id AND a.offering_id = f.id AND a.line_id = l.id
  JOIN product p ON p.id = f.product_id
  JOIN artisan_terms t ON t.id = f.terms_id
  LEFT JOIN (SELECT hl.line_id, sum(hl.pieces) AS pieces, sum(hl.fee_minor) AS fee, sum(hl.tax_minor) AS tax,
                    sum(hl.net_minor) AS net, sum(hl.fund_minor) AS fund FROM hand_over_line hl
               JOIN hand_over ho ON ho.id = hl.hand_over_id JOIN household_order x ON x.id = ho.order_id
              WHERE {scope_x} GROUP BY hl.line_id) h ON h.line_id = l.id
  LEFT JOIN (SELECT c.line_id, sum(c.pieces) AS noted, sum(c.fee) AS fee, sum(c.tax) AS tax, sum(c.net) AS net,
                    (array_agg(c.fee_bp ORDER BY c.id DESC) FILTER (WHERE c.fee_bp IS NOT NULL))[1] AS fee_bp
               FROM (SELECT id, line_id, 0 AS pieces, fee_minor AS fee, tax_minor AS tax, net_minor AS net, fee_bp FROM fee_change
                      UNION ALL
                     SELECT id, line_id, pieces, -fee_minor, -tax_minor, -net_minor, NULL FROM credit_note WHERE reversed_id IS NULL) c
               JOIN order_line y ON y.id = c.line_id JOIN household_order x ON x.id = y.order_id
              WHERE {scope_x} GROUP BY c.line_id) m ON m.line_id = l.id
 WHERE {scope_o} AND a.pieces > 0
 ORDER BY o.id, l.id
"""


def due_lines(session: Session, *, order: int | None = None, pool: int | None = None) -> list[DueLine]:
    """Return what was awarded on an order's lines or on a pool's, by order; a pool may have tens of thousands."""
    column, value = ("id", order) if order is not None else ("pool_id", pool)
    statement = _DUE.format(scope_o=f"o.{column} = %(scope)s", scope_x=f"x.{column} = %(scope)s")
    session.flush()
    return list(map(DueLine._make, raw(session).execute(statement.encode(), {"scope": value}).fetchall()))


class Maker(NamedTuple):
    """One of several makers of a line: its part, and what stands in the books for it from this line."""

    artisan_id: int
    part_bp: int
    stands: int


_SEVERAL = text("""
SELECT l.id, m.artisan_id, m.part_bp,
       (SELECT coalesce(-sum(p.amount), 0) FROM posting p
          JOIN account a ON a.id = p.account_id AND a.code IN (1150, 2100) AND a.party = 'artisan:' || m.artisan_id
         WHERE p.line_id = l.id)::bigint
  FROM order_line l JOIN offering_maker m ON m.offering_id = l.offering_id
 WHERE l.id = ANY(:lines) ORDER BY l.id, m.n
""")


def several_makers(session: Session, lines: Sequence[DueLine]) -> dict[int, list[Maker]]:
    """Return the makers of those lines that have several, by line."""
    offerings = {"offerings": sorted({line.offering_id for line in lines})}
    shared = set(session.scalars(text("SELECT offering_id FROM offering_maker WHERE n = 1 AND offering_id = ANY(:offerings)"), offerings))  # fmt: skip
    found: dict[int, list[Maker]] = {}
    if shared:
        wanted = [line.line_id for line in lines if line.offering_id in shared]
        for line_id, *maker in session.execute(_SEVERAL, {"lines": wanted}):
            found.setdefault(line_id, []).append(Maker(*maker))
    return found


def to_post(line: DueLine, part: Earned, makers: Sequence[Maker] | None) -> HandedOver:
    """Share what a line earns among its makers, ready to post."""
    household, model = household_party(line.household_id), Model(line.model)
    if makers is None:
        return HandedOver(household, line.line_id, model, part, [(artisan_party(line.artisan_id), part.net)])
    parts_bp, stands = [maker.part_bp for maker in makers], [maker.stands for maker in makers]
    nets = makers_parts(line.net_stands + part.net, parts_bp, stands)
    parties = [artisan_party(maker.artisan_id) for maker in makers]
    return HandedOver(household, line.line_id, model, part, list(zip(parties, nets, strict=True)))

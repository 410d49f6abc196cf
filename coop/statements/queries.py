"""A maker's statements, each line by lot, and what the next payout comes to so far."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.roles import Viewer
from coop.core.season import local_day, next_monthly
from coop.payouts.queries import WITH_SALES, open_postings, owed_to_makers, why_it_waits
from coop.policy import service as policy

A_PAGE: Final = 50
MOST_PRODUCTS: Final = 6


@dataclass(frozen=True, slots=True)
class SoldLine:
    """What one lot brought: in how many hand-overs, pieces, price, fee with the tax inside it, and what is the maker's."""

    product: str
    lot_number: str
    hand_overs: int
    pieces: int
    sold_minor: int
    fee_minor: int
    tax_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    booked_on: date
    minor: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    id: int
    reference: str
    maker: str
    through: date
    made_at: datetime
    fate: str
    fate_on: date | None
    account_ending: str
    sold_minor: int
    fee_minor: int
    tax_minor: int
    set_off_minor: int
    recouped_minor: int
    payable_minor: int
    returned: list[ReturnedLine]
    rows: list[SoldLine]
    part: Slice

    @property
    def bill(self) -> list["BillLine"]:
        """What it comes to, line by line."""
        lines = [BillLine("Sold", self.sold_minor), BillLine("Co-op fee", -self.fee_minor)]
        came_back = sum(one.minor for one in self.returned)
        taken_off = self.set_off_minor + self.recouped_minor
        resold = self.payable_minor + taken_off - self.sold_minor + self.fee_minor - came_back
        more = (
            ("Payments that came back", came_back),
            ("The part of the co-op where it resells", resold),
            ("What you owed the co-op", -self.set_off_minor),
            ("Your advance, paid back", -self.recouped_minor),
        )
        return lines + [BillLine(label, minor) for label, minor in more if minor]


@dataclass(frozen=True, slots=True)
class StatementRow:
    id: int
    reference: str
    maker: str
    through: date
    payable_minor: int
    fate: str
    fate_on: date | None


@dataclass(frozen=True, slots=True)
class BillLine:
    label: str
    amount: int


@dataclass(frozen=True, slots=True)
class NextPayout:
    """What a maker has earned since the last statement; `lines` and `pieces_waiting` explain it."""

    maker: str
    on: date
    lines: list[BillLine]
    earned_minor: int
    tax_minor: int
    waits: str
    pieces_waiting: int


@dataclass(frozen=True, slots=True)
class StatementsPage:
    next_payouts: list[NextPayout]
    minimum_minor: int
    sought: str
    names_makers: bool
    rows: list[StatementRow]
    part: Slice


_FATE = (
    "CASE WHEN r.state = 'cancelled' THEN 'cancelled' WHEN p.returned_on IS NOT NULL THEN 'returned'"
    " WHEN p.settled_on IS NOT NULL THEN 'settled' WHEN p.sent_entry_id IS NOT NULL THEN 'sent' ELSE 'waits' END AS fate,"
    " coalesce(p.returned_on, p.settled_on) AS fate_on"
)

_STATEMENT = text(f"""
SELECT s.id, s.series || '-' || s.number AS reference, m.name AS maker, r.through, r.computed_at AS made_at, {_FATE}, b.iban_ending,
       s.sold_minor, s.fee_minor, s.tax_minor, s.set_off_minor, s.recouped_minor, s.payable_minor, s.earned_minor
  FROM statement s
  JOIN payout_run r ON r.id = s.run_id
  JOIN artisan m ON m.id = s.artisan_id
  JOIN payment p ON p.statement_id = s.id
  JOIN bank_details b ON b.id = p.bank_details_id
 WHERE s.id = :id
""")  # noqa: S608 - put together from constants only

_SOLD = text("""
SELECT pr.name, b.lot_number, t.hand_overs, t.pieces, t.sold, t.fee, t.tax, t.net, t.total
  FROM (SELECT offering_id, count(*) AS hand_overs, sum(pieces)::bigint AS pieces, sum(sold_minor)::bigint AS sold,
               sum(fee_minor)::bigint AS fee, sum(tax_minor)::bigint AS tax, sum(amount_minor)::bigint AS net, count(*) OVER () AS total
          FROM statement_line WHERE statement_id = :id AND offering_id IS NOT NULL
         GROUP BY offering_id ORDER BY offering_id LIMIT :most OFFSET :skipped) t
  JOIN offering f ON f.id = t.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product pr ON pr.id = f.product_id
 ORDER BY t.offering_id
""")

_RETURNED = text("""
SELECT e.business_date, s.amount_minor FROM statement_line s JOIN entry e ON e.id = s.entry_id AND e.kind = 'payout_returned'
 WHERE s.statement_id = :id ORDER BY e.id LIMIT 50
""")


def statement_page(session: Session, statement_id: int, *, number: int) -> StatementPage:
    """Return a statement with fifty of its lots."""
    row = session.execute(_STATEMENT, {"id": statement_id}).first()
    if row is None:
        raise NotFound
    sold = session.execute(_SOLD, {"id": statement_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    came_back = row.earned_minor - row.sold_minor + row.fee_minor
    return StatementPage(
        id=row.id,
        reference=row.reference,
        maker=row.maker,
        through=row.through,
        made_at=row.made_at,
        fate=row.fate,
        fate_on=row.fate_on,
        account_ending=row.iban_ending,
        sold_minor=row.sold_minor,
        fee_minor=row.fee_minor,
        tax_minor=row.tax_minor,
        set_off_minor=row.set_off_minor,
        recouped_minor=row.recouped_minor,
        payable_minor=row.payable_minor,
        returned=[ReturnedLine(*one) for one in session.execute(_RETURNED, {"id": statement_id})] if came_back else [],
        rows=[SoldLine(*one[:-1]) for one in sold],
        part=Slice(number, A_PAGE, sold[0].total if sold else 0),
    )


def may_read(session: Session, viewer: Viewer, /, *, statement_id: int) -> bool:
    """Whether a statement is one of the viewer's workshops', or the viewer may see all."""
    artisan_id = session.scalar(text("SELECT artisan_id FROM statement WHERE id = :id"), {"id": statement_id})
    return artisan_id is not None and roles.may_see_statement(viewer, artisan_id)


def statements_page(session: Session, viewer: Viewer, sought: str, *, number: int, at: datetime) -> StatementsPage:
    """Return fifty statements that the viewer may see, the latest first, and what the next payout brings their workshops so far."""
    agreed = policy.all_current(session, at=at)
    own = sorted(viewer.artisan_ids)
    sees_all = roles.may_handle_money(viewer)
    rows = session.execute(
        text(
            f"SELECT s.id, s.series || '-' || s.number, m.name, r.through, s.payable_minor, {_FATE}, count(*) OVER () AS total"  # noqa: S608 - constants only
            " FROM statement s JOIN payout_run r ON r.id = s.run_id JOIN artisan m ON m.id = s.artisan_id"
            " JOIN payment p ON p.statement_id = s.id WHERE (:all OR s.artisan_id = ANY(:own))"
            " AND (m.name ILIKE :like OR s.series || '-' || s.number = :sought)"
            " ORDER BY s.id DESC LIMIT :most OFFSET :skipped"
        ),
        {"all": sees_all, "own": own, "like": _like(sought), "sought": sought}
        | {"most": A_PAGE, "skipped": A_PAGE * (number - 1)},
    ).all()
    today = local_day(at, agreed["zone"])
    on, minimum = next_monthly(agreed["payout_day"], today), agreed["payout_minimum_minor"]
    names = session.execute(text("SELECT id, name FROM artisan WHERE id = ANY(:own) ORDER BY name"), {"own": own}).all()
    return StatementsPage(
        next_payouts=[_next_payout(session, row.id, row.name, _Asked(today, on, minimum, at)) for row in names],
        minimum_minor=minimum,
        sought=sought,
        names_makers=sees_all or len(names) > 1,
        rows=[StatementRow(*row[:-1]) for row in rows],
        part=Slice(number, A_PAGE, rows[0].total if rows else 0),
    )


def _like(sought: str) -> str:
    return "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


_EARNED = text(f"""
SELECT pr.name, l.unit_minor, sum(hl.pieces)::bigint AS pieces, sum(hl.pieces * l.unit_minor)::bigint AS sold,
       coalesce(sum(hl.fee_minor), 0)::bigint AS fee, coalesce(sum(hl.tax_minor), 0)::bigint AS tax, -sum(p.amount)::bigint AS earned
{open_postings(WITH_SALES + " LEFT JOIN offering f ON f.id = l.offering_id LEFT JOIN product pr ON pr.id = f.product_id")}
   AND a.party = 'artisan:' || CAST(:artisan AS text)
 GROUP BY pr.name, l.unit_minor ORDER BY sold DESC NULLS LAST, pr.name
""")

_WAITING = text("""
SELECT coalesce(sum(a.pieces - coalesce(h.pieces, 0)), 0)::bigint
  FROM pool o
  JOIN offering f ON f.pool_id = o.id
  JOIN product pr ON pr.id = f.product_id AND pr.artisan_id = :artisan
  JOIN allocation_run r ON r.pool_id = f.pool_id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id AND a.offering_id = f.id
  LEFT JOIN LATERAL (SELECT sum(pieces) AS pieces FROM hand_over_line WHERE line_id = a.line_id) h ON true
 WHERE o.pickup_on >= :since
""")

FETCHED_WITHIN: Final = timedelta(days=60)
"""What nobody fetched by then is given away; it no longer counts as on its way."""


class _Asked(NamedTuple):
    today: date
    on: date
    minimum: int
    at: datetime


def _next_payout(session: Session, artisan_id: int, maker: str, asked: _Asked) -> NextPayout:
    owed = owed_to_makers(session, asked.today, only=[artisan_id])
    parts = session.execute(_EARNED, {"artisan": artisan_id, "through": asked.today}).all() if owed else []
    sold = [part for part in parts if part.name is not None]
    lines = [BillLine(f"{part.pieces} {part.name}", part.sold) for part in sold[:MOST_PRODUCTS]]
    if rest := sold[MOST_PRODUCTS:]:
        lines.append(BillLine(f"{len(rest)} more products and prices", sum(part.sold for part in rest)))
    if fee := sum(part.fee for part in parts):
        lines.append(BillLine("Co-op fee", -fee))
    lines += [BillLine("A payment that came back", part.earned) for part in parts if part.name is None]
    return NextPayout(
        maker=maker,
        on=asked.on,
        lines=lines,
        earned_minor=owed[0].earned_minor if owed else 0,
        tax_minor=sum(part.tax for part in parts),
        waits=why_it_waits(owed[0], asked.minimum, at=asked.at) if owed else "nothing_owed",
        pieces_waiting=session.scalar(_WAITING, {"artisan": artisan_id, "since": asked.today - FETCHED_WITHIN}) or 0,
    )

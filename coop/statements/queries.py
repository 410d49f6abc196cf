"""A maker's statements, and what the next payout comes to so far."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core import roles
from coop.core.paging import Slice
from coop.core.roles import Viewer
from coop.core.season import local_day, next_monthly
from coop.payouts.queries import WITH_SALES, open_postings, owed_to_makers, why_it_waits
from coop.policy import service as policy

A_PAGE: Final = 50
MOST_PRODUCTS: Final = 6


@dataclass(frozen=True, slots=True)
class StatementRow:
    id: int
    reference: str
    maker: str
    through: date
    payable_minor: int
    fate: str
    fate_on: date | None
    asks: bool


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
    this_year: int
    sought: str
    names_makers: bool
    rows: list[StatementRow]
    part: Slice


FATE: Final = (
    "CASE WHEN r.state = 'cancelled' THEN 'cancelled' WHEN p.returned_on IS NOT NULL THEN 'returned' WHEN p.refused_on IS NOT NULL THEN 'refused'"
    " WHEN p.settled_on IS NOT NULL THEN 'settled' WHEN p.sent_entry_id IS NOT NULL THEN 'sent' ELSE 'waits' END AS fate,"
    " coalesce(p.returned_on, p.refused_on, p.settled_on) AS fate_on"
)
"""How far a statement's payment is, and since when: columns of a query over statement s, payout_run r and payment p."""

_ASKS = "coalesce((SELECT NOT q.is_answer FROM statement_message q WHERE q.statement_id = s.id ORDER BY q.id DESC LIMIT 1), false)"


def statements_page(session: Session, viewer: Viewer, sought: str, *, number: int, at: datetime) -> StatementsPage:
    """Return fifty statements that the viewer may see, the latest first, and what the next payout brings their workshops so far."""
    agreed = policy.all_current(session, at=at)
    own = sorted(viewer.artisan_ids)
    sees_all = roles.may_handle_money(viewer)
    rows = session.execute(
        text(
            f"SELECT s.id, s.series || '-' || s.number, m.name, r.through, s.payable_minor, {FATE}, {_ASKS} AS asks, count(*) OVER () AS total"  # noqa: S608 - constants only
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
        this_year=today.year,
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

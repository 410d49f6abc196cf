"""What a payout run would pay each maker, and the statement that one would get: read from what is owed now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.core.paging import Slice
from coop.core.payout import settle
from coop.payouts.queries import (
    WITH_SALES,
    Owed,
    bank_balance_left,
    open_postings,
    open_run,
    owed_to_makers,
    why_it_waits,
)

A_PAGE: Final = 50
HELD: Final = "held"


class Plan(NamedTuple):
    """A run as somebody thinks of asking for it."""

    through: date
    minimum_minor: int
    recoup_bp: int = 0
    held: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A maker as the run would treat it now; `waits` says why it is not paid, "" where it is, "held" where the plan says so."""

    id: int
    maker: str
    sold_minor: int
    fee_minor: int
    tax_minor: int
    earned_minor: int
    taken_off_minor: int
    sent_minor: int
    waits: str


@dataclass(frozen=True, slots=True)
class PreviewPage:
    plan: Plan
    rows: list[PreviewRow]
    part: Slice
    makers: int
    total_minor: int
    left_minor: int
    open_run_id: int | None

    @property
    def is_covered(self) -> bool:
        """Whether the bank account holds what the run would pay."""
        return self.total_minor <= self.left_minor


_PARTS = text(f"""
SELECT substr(a.party, 9)::bigint AS artisan_id, coalesce(sum(hl.pieces * l.unit_minor), 0)::bigint AS sold,
       coalesce(sum(hl.fee_minor), 0)::bigint AS fee, coalesce(sum(hl.tax_minor), 0)::bigint AS tax
{open_postings(WITH_SALES)}
 GROUP BY a.party
""")


def preview_page(session: Session, plan: Plan, *, number: int, at: datetime) -> PreviewPage:
    """Return what a run would pay each maker, those who are paid first, fifty at a time."""
    parts = {row.artisan_id: row for row in session.execute(_PARTS, {"through": plan.through})}
    names = {row.id: row.name for row in session.execute(text("SELECT id, name FROM artisan"))}
    rows = []
    for one in owed_to_makers(session, plan.through):
        if one.earned_minor and (part := parts.get(one.artisan_id)):
            waits, taken_off, sent = _treated(one, plan, at)
            told = (part.sold, part.fee, part.tax, one.earned_minor, taken_off, sent, waits)
            rows.append(PreviewRow(one.artisan_id, names[one.artisan_id], *told))
    rows.sort(key=lambda row: row.waits != "")
    paid = [row.sent_minor for row in rows if not row.waits]
    return PreviewPage(
        plan=plan,
        rows=rows[A_PAGE * (number - 1) :][:A_PAGE],
        part=Slice(number, A_PAGE, len(rows)),
        makers=len(paid),
        total_minor=sum(paid),
        left_minor=bank_balance_left(session),
        open_run_id=open_run(session),
    )


def _treated(one: Owed, plan: Plan, at: datetime) -> tuple[str, int, int]:
    """Return why a maker waits ("" if it is paid), what is taken off, and what is sent; nothing moves where it waits."""
    if one.artisan_id in plan.held:
        return HELD, 0, 0
    waits = why_it_waits(one, plan.minimum_minor, recoup_bp=plan.recoup_bp, at=at)
    if waits:
        return waits, 0, 0
    said = settle(one.earned_minor, owed_by_maker=one.owed_by_maker, advance=one.advance, recoup_bp=plan.recoup_bp)
    return "", said.set_off + said.recouped, said.sent


@dataclass(frozen=True, slots=True)
class LotRow:
    """What a lot brought; or, without a lot, what else moved the maker's account: `what` is the kind of entry."""

    what: str
    lot_number: str
    hand_overs: int
    pieces: int
    sold_minor: int
    fee_minor: int
    tax_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class MakerPreview:
    """The statement that a maker would get."""

    id: int
    maker: str
    plan: Plan
    rows: list[LotRow]
    part: Slice
    sold_minor: int
    fee_minor: int
    earned_minor: int
    set_off_minor: int
    recouped_minor: int
    sent_minor: int
    waits: str


_LOTS = text(f"""
SELECT t.*, count(*) OVER () AS total, sum(t.sold) OVER ()::bigint AS all_sold, sum(t.fee) OVER ()::bigint AS all_fee FROM (
SELECT coalesce(pr.name, e.kind) AS what, coalesce(b.lot_number, '') AS lot_number, count(*) AS hand_overs,
       coalesce(sum(hl.pieces), 0)::bigint AS pieces, coalesce(sum(hl.pieces * l.unit_minor), 0)::bigint AS sold,
       coalesce(sum(hl.fee_minor), 0)::bigint AS fee, coalesce(sum(hl.tax_minor), 0)::bigint AS tax, -sum(p.amount)::bigint AS net
{open_postings(WITH_SALES + " LEFT JOIN offering f ON f.id = l.offering_id LEFT JOIN batch b ON b.id = f.batch_id LEFT JOIN product pr ON pr.id = f.product_id")}
   AND a.party = 'artisan:' || CAST(:artisan AS text)
 GROUP BY 1, 2) t ORDER BY t.lot_number = '', t.what, t.lot_number LIMIT :most OFFSET :skipped
""")  # noqa: S608 - put together from constants only


def maker_preview(session: Session, artisan_id: int, plan: Plan, *, number: int, at: datetime) -> MakerPreview:
    """Return what one maker's statement would say, fifty lots at a time."""
    name = session.scalar(text("SELECT name FROM artisan WHERE id = :id"), {"id": artisan_id})
    if name is None:
        raise NotFound
    asked = {"artisan": artisan_id, "through": plan.through, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    lots = session.execute(_LOTS, asked).all()
    owed = owed_to_makers(session, plan.through, only=[artisan_id])
    one = owed[0] if owed else Owed(artisan_id, 0, None, None)
    waits, _, sent = _treated(one, plan, at)
    said = settle(
        max(one.earned_minor, 0), owed_by_maker=one.owed_by_maker, advance=one.advance, recoup_bp=plan.recoup_bp
    )
    return MakerPreview(
        id=artisan_id,
        maker=name,
        plan=plan,
        rows=[LotRow(*row[:8]) for row in lots],
        part=Slice(number, A_PAGE, lots[0].total if lots else 0),
        sold_minor=lots[0].all_sold if lots else 0,
        fee_minor=lots[0].all_fee if lots else 0,
        earned_minor=one.earned_minor,
        set_off_minor=0 if waits else said.set_off,
        recouped_minor=0 if waits else said.recouped,
        sent_minor=sent,
        waits=waits,
    )

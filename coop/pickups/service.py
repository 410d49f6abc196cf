"""Hand over what was awarded, tick by tick; the hand-over is where fee and makers' money are earned."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import keys
from coop.allocation import service as allocation
from coop.audit import service as audit
from coop.core.collector import collecting_seldom
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import OWED_TO_MAKER, Entry
from coop.core.payout import HIGHEST_FEE_BP, Earned, HandedOver, Model, handed_over
from coop.core.season import local_day, zone_named
from coop.db import Db, copy_numbers, copy_rows, refresh_statistics, take_ids
from coop.ledger import service as ledger
from coop.people import service as people
from coop.pickups.models import CreditNote, FeeChange, HandOver, PickupChoice, PickupPoint
from coop.pickups.queries import DueLine, due_lines, several_makers, to_post
from coop.policy import service as policy


class HandedLine(NamedTuple):
    due: DueLine
    pieces: int
    earned: Earned


def hand_over(
    db: Db,
    order_id: int,
    pieces: Mapping[int, int],
    *,
    by: int,
    at: datetime,
    key: str,
    age_checked: bool = False,
    fees_bp: Mapping[int, int] = MappingProxyType({}),
) -> int:
    """Tick that these pieces (by line) of an order were fetched; return the hand-over's id.

    `fees_bp` replaces the co-op fee of a line for all its pieces from now on. Raises `exceeds_allocation`,
    `nothing_handed_over`, `age_check` or `bad_rate`; then nothing has changed.
    """
    with db.begin() as session:
        body = {"act": "hand_over", "order": order_id, "pieces": sorted(pieces.items()), "age": age_checked}
        body |= {"fees_bp": sorted(fees_bp.items())} if fees_bp else {}
        spent = keys.spend(session, by=by, key=key, body=body)
        if spent is not None:
            return spent
        order = lock_order(session, order_id)
        due = {line.line_id: line for line in due_lines(session, order=order_id)}
        wanted = {line_id: count for line_id, count in sorted(pieces.items()) if count}
        _check_waiting(session, due, wanted, at=at)
        for line_id, fee_bp in fees_bp.items():
            if line_id not in wanted:
                raise RuleBroken("nothing_handed_over", "A fee changes here only with pieces that are handed over.")
            due[line_id] = due[line_id]._replace(fee_bp=check_fee(due[line_id], fee_bp))
            note_fee(session, FeeChange(line_id=line_id, fee_bp=fee_bp, reason="agreed at the hand-over"), by=by, at=at)
        lines = [_handed(due[line_id], count) for line_id, count in wanted.items()]
        age = _check_age(lines, age_checked=age_checked)
        (hand_over_id,) = _write(session, [lines], pool_id=order.pool_id, by=by, at=at, age=age)
        audit.record(session, "hand_over", by=by, subject=("hand_over", hand_over_id), detail={"order": order_id})
        keys.answer(session, by=by, key=key, row_id=hand_over_id)
        return hand_over_id


@collecting_seldom()
def hand_over_pool(db: Db, pool_id: int, *, by: int, at: datetime) -> tuple[int, int]:
    """Tick that everything of a pool still waiting was fetched; return (lines, pieces) ticked now.

    For pools that were handed over outside this system; every line's age check is on whoever says so.
    """
    refresh_statistics(db, "order_line", "award", "hand_over", "hand_over_line")
    with db.begin() as session:
        allocation.lock_published(session, pool_id)
        waiting = [line for line in due_lines(session, pool=pool_id) if line.handed < line.awarded]
        if not waiting:
            return 0, 0
        orders = [
            [_handed(line, line.awarded - line.handed) for line in lines]
            for _, lines in groupby(waiting, key=attrgetter("order_id"))
        ]
        _write(session, orders, pool_id=pool_id, by=by, at=at, age=None)
        pieces = sum(line.awarded - line.handed for line in waiting)
        audit.record(
            session,
            "hand_over_pool",
            by=by,
            subject=("pool", pool_id),
            detail={"lines": len(waiting), "pieces": pieces},
        )
        return len(waiting), pieces


def add_point(session: Session, name: str, *, place: str, hours: str) -> int:
    """Open a pickup point."""
    point = PickupPoint(name=name, place=place, hours=hours)
    session.add(point)
    session.flush()
    return point.id


def end_point(session: Session, point_id: int, *, at: datetime) -> list[int]:
    """Close a pickup point, and return the households that fetched there, so that they choose another.

    Raises `already_ended`.
    """
    point = session.get(PickupPoint, point_id, with_for_update=True)
    if point is None:
        raise NotFound
    if point.ended_at is not None:
        raise RuleBroken("already_ended", f"{point.name} is no pickup point any more.")
    point.ended_at = at
    return list(
        session.scalars(
            text(
                "SELECT h.id FROM household h JOIN LATERAL (SELECT point_id FROM pickup_choice"
                " WHERE household_id = h.id ORDER BY id DESC LIMIT 1) c ON c.point_id = :point ORDER BY h.id"
            ),
            {"point": point_id},
        )
    )


def choose_point(db: Db, household_id: int, point_id: int, *, by: int) -> None:
    """Let a household fetch at another point from now on."""
    with db.begin() as session:
        people.lock_household(session, household_id)
        point = session.get(PickupPoint, point_id)
        if point is None or point.ended_at is not None:
            raise RuleBroken("unknown_point", "Choose one of the pickup points listed.", field="point")
        session.add(PickupChoice(household_id=household_id, point_id=point_id))
        audit.record(
            session, "choose_pickup_point", by=by, subject=("household", household_id), detail={"point": point_id}
        )


class OrderHeld(NamedTuple):
    pool_id: int
    household_id: int


def lock_order(session: Session, order_id: int) -> OrderHeld:
    """Hold an order against other hand-overs, and its pool against one of the whole pool, until commit."""
    row = session.execute(
        text("SELECT pool_id, household_id FROM household_order WHERE id = :id"), {"id": order_id}
    ).first()
    if row is None:
        raise NotFound("There is no such order.")
    session.execute(text("SELECT 1 FROM pool WHERE id = :id FOR SHARE"), {"id": row.pool_id})
    session.execute(text("SELECT 1 FROM household_order WHERE id = :id FOR UPDATE"), {"id": order_id})
    return OrderHeld(row.pool_id, row.household_id)


def _check_waiting(session: Session, due: Mapping[int, DueLine], wanted: Mapping[int, int], *, at: datetime) -> None:
    """Raise unless something is ticked and every line still has as many pieces waiting."""
    if not wanted:
        raise RuleBroken("nothing_handed_over", "Tick at least one piece that was fetched.")
    for line_id, count in wanted.items():
        line, field = due.get(line_id), f"pieces-{line_id}"
        if line is None:
            raise RuleBroken("exceeds_allocation", "Nothing was awarded on this line, or its sharing out is not published yet.", field=field)  # fmt: skip
        waiting = line.awarded - line.handed
        if not 0 < count <= waiting:
            before = (
                f"{line.handed} handed over already{_latest(session, line_id, at=at)}" if line.handed else "none yet"
            )
            left = f"at most {waiting} now" if waiting else "nothing is left"
            sentence = f"{line.product}: {line.awarded} awarded, {before}, so {left}."
            raise RuleBroken("exceeds_allocation", sentence, field=field)


def _latest(session: Session, line_id: int, *, at: datetime) -> str:
    """Say when and by whom pieces of a line were handed over last."""
    handed_at, name = session.execute(
        text(
            "SELECT h.handed_at, p.name FROM hand_over_line l JOIN hand_over h ON h.id = l.hand_over_id"
            " LEFT JOIN person p ON p.id = h.handed_by WHERE l.line_id = :line ORDER BY h.handed_at DESC, h.id DESC LIMIT 1"
        ),
        {"line": line_id},
    ).one()
    local = handed_at.astimezone(zone_named(policy.current(session, "zone", at=at)))
    return f" ({local.day} {local:%B} at {local:%H:%M}, by {name or 'the co-op'})"


def _check_age(lines: Sequence[HandedLine], *, age_checked: bool) -> int | None:
    """Return the highest age that the pieces ask for; raise where nobody says to have checked it."""
    asking = [line.due for line in lines if line.due.min_age]
    age = max((line.min_age or 0 for line in asking), default=0)
    if age and not age_checked:
        raise RuleBroken(
            "age_check",
            f"Only for people of {age} or over: {', '.join(line.product for line in asking)}."
            " Check an identity card and confirm it here.",
            field="age_checked",
        )
    return age or None


def _handed(line: DueLine, pieces: int) -> HandedLine:
    return HandedLine(line, pieces, line.earns(pieces))


def owed_to_losers(session: Session, lines: Iterable[HandedOver]) -> dict[str, int]:
    """Return what is owed to those makers who lose by what is booked now, by a changed fee or for what was bad."""
    losers = sorted({maker for line in lines for maker, minor in line.nets if minor < 0})
    return {maker: -minor for maker, minor in ledger.balances_of(session, OWED_TO_MAKER, losers).items()} if losers else {}  # fmt: skip


def write_undoing(session: Session, undone: HandOver, entry_id: int | None, *, by: int, at: datetime) -> int:
    """Write the hand-over that takes another back, with its pieces and money below zero; return its id."""
    undoing = HandOver(order_id=undone.order_id, entry_id=entry_id, handed_at=at, handed_by=by, undoes_id=undone.id)
    session.add(undoing)
    session.flush()
    session.execute(_UNDO_LINES, {"new": undoing.id, "old": undone.id})
    return undoing.id


_UNDO_LINES = text(
    "INSERT INTO hand_over_line (hand_over_id, line_id, pieces, fee_minor, tax_minor, net_minor, fund_minor)"
    " SELECT :new, line_id, -pieces, -fee_minor, -tax_minor, -net_minor, -fund_minor FROM hand_over_line WHERE hand_over_id = :old"
)


def due_line(session: Session, line_id: int) -> DueLine:
    """Return a line that something was awarded on, its order held until commit. Raises NotFound."""
    order_id = session.scalar(text("SELECT order_id FROM order_line WHERE id = :id"), {"id": line_id})
    if order_id is None:
        raise NotFound("There is no such line of an order.")
    lock_order(session, order_id)
    found = next((line for line in due_lines(session, order=order_id) if line.line_id == line_id), None)
    if found is None:
        raise RuleBroken("exceeds_delivered", "Nothing of this line was handed over.", field="pieces")
    return found


def check_fee(line: DueLine, fee_bp: int) -> int:
    """Return a fee that a line may bear. Raises `bad_rate`, and `fee_of_resale` where the co-op itself sells."""
    if line.model == Model.RESALE:
        raise RuleBroken("fee_of_resale", "Where the co-op itself sells there is no fee.", field="fee")
    if not 0 <= fee_bp <= HIGHEST_FEE_BP:
        raise RuleBroken("bad_rate", "The co-op fee lies between 0 % and 50 %.", field="fee")
    return fee_bp


def note_fee(session: Session, change: FeeChange, *, by: int, at: datetime) -> int:
    """Write down a line's changed fee and what it changed; return the row's id."""
    change.fee_minor, change.tax_minor, change.net_minor = change.fee_minor or 0, change.tax_minor or 0, change.net_minor or 0  # fmt: skip
    change.changed_by, change.changed_at = by, at
    session.add(change)
    session.flush()
    return change.id


def note_credit(session: Session, note: CreditNote, *, by: int, at: datetime) -> int:
    """Write down pieces that were found bad; return the row's id."""
    note.noted_by, note.noted_at = by, at
    session.add(note)
    session.flush()
    return note.id


def _write(
    session: Session, orders: Sequence[Sequence[HandedLine]], *, pool_id: int, by: int, at: datetime, age: int | None
) -> Sequence[int]:
    """Write hand-overs, one an order, and the entries that earn them."""
    agreed = policy.all_current(session, at=at)
    day = allocation.booking_day(session, pool_id, today=local_day(at, agreed["zone"]))
    ids = take_ids(session, "hand_over", len(orders))
    shared = several_makers(session, [line.due for lines in orders for line in lines])
    entries = []
    for hand_over_id, lines in zip(ids, orders, strict=True):
        ready = [to_post(line, part, shared.get(line.line_id)) for line, _, part in lines]
        if postings := handed_over(ready, owed_to_losers(session, ready)):
            entries.append(Entry(f"pickup:{hand_over_id}", "pickup", day, postings))
    posted = ledger.post_all(session, entries, by=by, currency=agreed["currency"])
    entry_of = {entry.key: entry_id for entry, entry_id in zip(entries, posted, strict=True)}
    copy_rows(
        session,
        "hand_over",
        ("id", "order_id", "entry_id", "handed_at", "handed_by", "age_checked_minimum"),
        (
            (hand_over_id, lines[0].due.order_id, entry_of.get(f"pickup:{hand_over_id}"), at, by, age)
            for hand_over_id, lines in zip(ids, orders, strict=True)
        ),
    )
    copy_numbers(
        session,
        "hand_over_line",
        ("hand_over_id", "line_id", "pieces", "fee_minor", "tax_minor", "net_minor", "fund_minor"),
        (
            (hand_over_id, due.line_id, pieces, part.fee, part.fee_tax + part.price_tax, part.net, fund)
            for hand_over_id, lines in zip(ids, orders, strict=True)
            for due, pieces, part in lines
            for fund in (due.fund_bears(due.handed + pieces) - due.fund_handed,)
        ),
    )
    return ids


def drop_note(session: Session, note: CreditNote, entry_id: int) -> None:
    """Let a credit note count no more; its reversal is booked by the caller."""
    note.reversed_id = entry_id
    session.flush()

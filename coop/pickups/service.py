"""Hand over what was awarded, tick by tick; the hand-over is where fee and makers' money are earned."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import keys
from coop.allocation import service as allocation
from coop.audit import service as audit
from coop.core.collector import collecting_seldom
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import Entry, artisan_party, household_party
from coop.core.payout import Earned, HandedOver, Model, Sale, Terms, earned, handed_over
from coop.core.season import local_day, zone_named
from coop.db import Db, copy_rows, refresh_statistics, take_ids
from coop.ledger import service as ledger
from coop.people import service as people
from coop.pickups.models import PickupChoice, PickupPoint
from coop.policy import service as policy


class DueLine(NamedTuple):
    """A line of a published pool with what was awarded and what was handed over before."""

    order_id: int
    household_id: int
    line_id: int
    product: str
    awarded: int
    handed: int
    unit_minor: int
    deposit_minor: int
    artisan_id: int
    min_age: int | None
    model: str
    fee_bp: int
    fee_tax_bp: int
    price_tax_bp: int
    cost_minor: int


class HandedLine(NamedTuple):
    due: DueLine
    pieces: int
    earned: Earned


_DUE = """
SELECT o.id AS order_id, o.household_id, l.id AS line_id, p.name AS product, a.pieces AS awarded,
       coalesce(h.pieces, 0)::bigint AS handed, l.unit_minor, l.deposit_minor, p.artisan_id, p.min_age,
       t.model, t.fee_bp, t.fee_tax_bp, t.price_tax_bp, f.cost_minor
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id
  JOIN offering f ON f.id = l.offering_id
  JOIN allocation_run r ON r.pool_id = o.pool_id AND r.state = 'published'
  JOIN award a ON a.run_id = r.id AND a.offering_id = f.id AND a.line_id = l.id
  JOIN product p ON p.id = f.product_id
  JOIN artisan_terms t ON t.id = f.terms_id
  LEFT JOIN (SELECT hl.line_id, sum(hl.pieces) AS pieces FROM hand_over_line hl
               JOIN hand_over ho ON ho.id = hl.hand_over_id JOIN household_order x ON x.id = ho.order_id
              WHERE {scope_x} GROUP BY hl.line_id) h ON h.line_id = l.id
 WHERE {scope_o} AND a.pieces > 0
 ORDER BY o.id, l.id
"""


def hand_over(
    db: Db, order_id: int, pieces: Mapping[int, int], *, by: int, at: datetime, key: str, age_checked: bool = False
) -> int:
    """Tick that these pieces (by line) of an order were fetched; return the hand-over's id.

    Raises `not_published`, `exceeds_allocation`, `nothing_handed_over` or `age_check`; then nothing has changed.
    """
    with db.begin() as session:
        body = {"act": "hand_over", "order": order_id, "pieces": sorted(pieces.items()), "age": age_checked}
        spent = keys.spend(session, by=by, key=key, body=body)
        if spent is not None:
            return spent
        order = _locked_order(session, order_id)
        due = {line.line_id: line for line in _due_lines(session, order=order_id)}
        wanted = {line_id: count for line_id, count in sorted(pieces.items()) if count}
        _check_waiting(session, due, wanted, at=at)
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
        waiting = [line for line in _due_lines(session, pool=pool_id) if line.handed < line.awarded]
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


class _Order(NamedTuple):
    pool_id: int
    household_id: int


def _locked_order(session: Session, order_id: int) -> _Order:
    """Hold an order against other hand-overs, and its pool against one of the whole pool, until commit."""
    row = session.execute(
        text("SELECT pool_id, household_id FROM household_order WHERE id = :id"), {"id": order_id}
    ).first()
    if row is None:
        raise NotFound("There is no such order.")
    session.execute(text("SELECT 1 FROM pool WHERE id = :id FOR SHARE"), {"id": row.pool_id})
    session.execute(text("SELECT 1 FROM household_order WHERE id = :id FOR UPDATE"), {"id": order_id})
    allocation.check_published(session, row.pool_id)
    return _Order(row.pool_id, row.household_id)


def _due_lines(session: Session, *, order: int | None = None, pool: int | None = None) -> list[DueLine]:
    column, value = ("id", order) if order is not None else ("pool_id", pool)
    statement = _DUE.format(scope_o=f"o.{column} = :scope", scope_x=f"x.{column} = :scope")
    return [DueLine(*row) for row in session.execute(text(statement), {"scope": value})]


def _check_waiting(session: Session, due: Mapping[int, DueLine], wanted: Mapping[int, int], *, at: datetime) -> None:
    """Raise unless something is ticked and every line still has as many pieces waiting."""
    if not wanted:
        raise RuleBroken("nothing_handed_over", "Tick at least one piece that was fetched.")
    for line_id, count in wanted.items():
        line, field = due.get(line_id), f"pieces-{line_id}"
        if line is None:
            raise RuleBroken("exceeds_allocation", "Nothing was awarded on this line.", field=field)
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
    return HandedLine(line, pieces, _earned(line, pieces))


def _earned(line: DueLine, pieces: int) -> Earned:
    terms = Terms(Model(line.model), line.fee_bp, line.fee_tax_bp, line.price_tax_bp)
    sale = Sale(line.line_id, line.handed, pieces, line.unit_minor, line.deposit_minor, terms, line.cost_minor)
    return earned(sale)


def _write(
    session: Session, orders: Sequence[Sequence[HandedLine]], *, pool_id: int, by: int, at: datetime, age: int | None
) -> Sequence[int]:
    """Write hand-overs, one an order, and the entries that earn them."""
    agreed = policy.all_current(session, at=at)
    day = allocation.booking_day(session, pool_id, today=local_day(at, agreed["zone"]))
    ids = take_ids(session, "hand_over", len(orders))
    entries = [
        Entry(f"pickup:{hand_over_id}", "pickup", day, postings)
        for hand_over_id, lines in zip(ids, orders, strict=True)
        if (postings := handed_over(_to_post(lines)))
    ]
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
    copy_rows(
        session,
        "hand_over_line",
        ("hand_over_id", "line_id", "pieces", "fee_minor", "tax_minor", "net_minor"),
        (
            (hand_over_id, line.due.line_id, line.pieces, part.fee, part.fee_tax + part.price_tax, part.net)
            for hand_over_id, lines in zip(ids, orders, strict=True)
            for line in lines
            for part in (line.earned,)
        ),
    )
    return ids


def _to_post(lines: Iterable[HandedLine]) -> Iterable[HandedOver]:
    for line, _, part in lines:
        maker = artisan_party(line.artisan_id)
        yield HandedOver(household_party(line.household_id), line.line_id, Model(line.model), part, [(maker, part.net)])

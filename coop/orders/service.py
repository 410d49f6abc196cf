"""Place a household's order: whole or refused whole, with credit held for the most it may cost."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.choices import check_choice
from coop.core.errors import NotFound, RuleBroken
from coop.core.hardship import Help, fund_bears
from coop.core.ledger import MEMBER_CREDIT, Entry, HoldChange, held_for_order, household_party
from coop.core.money import format_minor, minor_exponent
from coop.core.season import local_day
from coop.db import Db, copy_rows, take_ids
from coop.hardship import service as hardship
from coop.ledger import service as ledger
from coop.orders.models import HouseholdOrder, OrderLine
from coop.people import service as people
from coop.policy import service as policy
from coop.pools.models import Offering, Pool
from coop.wishes.service import Wish, check_right_to_order, checked_offerings, pool_taking_orders


class Bound(NamedTuple):
    """The most that a household lets its order cost, in minor units; None for no bound but its credit."""

    minor: int | None


class NewLine(NamedTuple):
    """A line of an order brought in: its own price, the wish being the most it takes."""

    offering_id: int
    wish: int
    unit_minor: int
    ordered_at: datetime


class NewOrder(NamedTuple):
    pool_id: int
    household_id: int
    placed_at: datetime
    business_date: date
    lines: Sequence[NewLine]


def place_order(
    db: Db,
    pool_id: int,
    wishes: Sequence[Wish],
    *,
    household_id: int,
    by: int,
    at: datetime,
    key: str,
    keep_others: bool = False,
    most: Bound | None = None,
) -> int:
    """Place a household's order in a pool, or edit it until the cut-off; return the order's id.

    Lines not named are taken back, unless `keep_others`; without `most` the order's own bound stays. Raises `closed_at`,
    `not_open`, `no_share`, `price_changed`, `over_cap`, `bad_wish`, `same_line_twice`, `over_most`, `insufficient_credit`
    or `fund_insufficient`; then nothing has changed.
    """
    with db.begin() as session:
        asked = [_told(wish) for wish in wishes]
        body = {"act": "place_order", "household": household_id, "pool": pool_id, "wishes": asked, "keep": keep_others}
        spent = keys.spend(session, by=by, key=key, body=body | {"most": most})
        if spent is not None:
            return spent
        order_id = write_order(
            session, pool_id, wishes, household_id=household_id, by=by, at=at, keep_others=keep_others, most=most
        )
        keys.answer(session, by=by, key=key, row_id=order_id)
        return order_id


def place_orders(
    db: Db,
    asked: Mapping[int, Sequence[Wish]],
    *,
    household_id: int,
    helped: Mapping[int, Help] = MappingProxyType({}),
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Add to a household's orders in several pools, whole or not at all; return the first order's id.

    `helped` says by offering what the hardship fund bears, in place of the household's own tier. Raises what `place_order` raises.
    """
    with db.begin() as session:
        wishes = {pool_id: [_told(wish) for wish in own] for pool_id, own in asked.items()}
        body = {"act": "place_orders", "household": household_id, "wishes": wishes}
        body |= {"helped": {offering_id: list(one) for offering_id, one in helped.items()}}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        orders = [
            write_order(session, pool_id, own, household_id=household_id, by=by, at=at, helped=helped)
            for pool_id, own in sorted(asked.items())
        ]
        keys.answer(session, by=by, key=key, row_id=orders[0])
        return orders[0]


def _told(wish: Wish) -> dict[str, int | None]:
    return {name: getattr(wish, name) for name in wish.__slots__}


def write_order(
    session: Session,
    pool_id: int,
    wishes: Sequence[Wish],
    *,
    household_id: int,
    by: int,
    at: datetime,
    keep_others: bool = True,
    helped: Mapping[int, Help] = MappingProxyType({}),
    most: Bound | None = None,
) -> int:
    """Write what `place_order` was asked for, and hold its price; return the order's id.

    The hardship fund bears its part by the household's tier, or what `helped` says of an offering.
    """
    people.lock_household(session, household_id)
    pool = pool_taking_orders(session, pool_id, at)
    check_right_to_order(session, pool, household_id)
    offerings = checked_offerings(session, pool_id, wishes, at=at)
    order = _order_of(session, pool_id, household_id, at)
    if most is not None:
        order.most_minor = most.minor
    tier = hardship.tier_of(session, household_id, at=at)
    helps = {wish.offering_id: helped.get(wish.offering_id, tier) for wish in wishes}
    changes, before = _write_lines(session, order, wishes, offerings, helps, at=at, keep_others=keep_others)
    _check_most(session, order, at)
    _hold(session, order, changes, by=by, at=at)
    after = {str(w.offering_id): [w.wish, w.up_to, *([w.choice, w.rank] if w.choice else ())] for w in wishes}
    audit.record(session, "place_order", by=by, subject=("order", order.id), detail={"before": before, "after": after})
    return order.id


def take_back_line(session: Session, line_id: int, *, by: int, at: datetime) -> int:
    """Take a line back whose pool the caller holds, whatever the cut-off, and give back its hold; return the order's id."""
    line = session.get(OrderLine, line_id)
    if line is None:
        raise NotFound("There is no such line of an order.")
    order = session.get_one(HouseholdOrder, line.order_id)
    people.lock_household(session, order.household_id)
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == order.id)).all()
    was = {one.id: (held_for(one), one.fund_held_minor) for one in lines}
    line.wish = line.up_to = line.fund_minor = line.fund_held_minor = 0
    line.choice = line.rank = line.held_minor = None
    order.edits += 1
    order.edited_at = at
    session.flush()
    changes = [_change(one, was) for one in _settle_choices(session, order.id)]
    _hold(session, order, changes, kind="cancel", by=by, at=at)
    return order.id


def _order_of(session: Session, pool_id: int, household_id: int, at: datetime) -> HouseholdOrder:
    """Return the household's order in the pool, made or marked as edited; the household is locked already."""
    asked = {"pool_id": pool_id, "household_id": household_id, "at": at}
    order: HouseholdOrder = session.scalars(_WRITE_ORDER, asked, execution_options={"populate_existing": True}).one()
    return order


_WRITE_ORDER = select(HouseholdOrder).from_statement(
    text(
        "INSERT INTO household_order (pool_id, household_id, placed_at) VALUES (:pool_id, :household_id, :at)"
        " ON CONFLICT (pool_id, household_id) DO UPDATE SET edits = household_order.edits + 1, edited_at = :at RETURNING *"
    )
)


def _write_lines(
    session: Session,
    order: HouseholdOrder,
    wishes: Sequence[Wish],
    offerings: dict[int, Offering],
    helps: Mapping[int, Help],
    *,
    at: datetime,
    keep_others: bool,
) -> tuple[list[HoldChange], dict[str, list[int]]]:
    """Write the order's lines; return the change of each line's hold, and the lines as they were."""
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == order.id)) if order.edits else ()
    held = {line.offering_id: line for line in lines}
    before = {str(line.offering_id): [line.wish, line.up_to] for line in held.values() if line.up_to}
    was = {line.id: (held_for(line), line.fund_held_minor) for line in held.values()}
    _refuse_in_a_choice(wishes, held)
    choices = {wish.offering_id: (wish.choice, wish.rank) for wish in wishes}
    kept = {line.offering_id: (line.choice, line.rank) for line in held.values()}
    wanted = {wish.offering_id: (wish.wish, wish.up_to) for wish in wishes}
    if not keep_others:
        wanted |= dict.fromkeys(held.keys() - wanted.keys(), (0, 0))
    rows = []
    for offering_id, (wish, up_to) in sorted(wanted.items()):
        if not up_to and offering_id not in held:
            continue
        choice, rank = choices.get(offering_id) or kept[offering_id]
        price = _price(offerings.get(offering_id) or held[offering_id])
        fund = fund_bears(helps[offering_id], up_to * price["unit_minor"]) if up_to else 0
        in_choice = bool(choice and up_to)
        rows.append(
            {"offering_id": offering_id, "wish": wish, "up_to": up_to, **price}
            | {"choice": choice if up_to else None, "rank": rank if up_to else None}
            | {"held_minor": 0 if in_choice else None}
            | {"fund_minor": fund, "fund_held_minor": 0 if in_choice else fund}
        )
    if not rows:
        return [], before
    columns = {name: [row[name] for row in rows] for name in _LINE}
    asked = columns | {"order_id": order.id, "ordered_at": at}
    if any(columns["choice"]) or any(line.choice for line in held.values()):
        session.execute(_WRITE_LINES, asked)
        return [_change(line, was) for line in _settle_choices(session, order.id)], before
    written = session.scalars(_WRITTEN_LINES, asked, execution_options={"populate_existing": True})
    return [_change(line, was) for line in written], before


_LINE = (
    "offering_id",
    "wish",
    "up_to",
    "unit_minor",
    "deposit_minor",
    "choice",
    "rank",
    "held_minor",
    "fund_minor",
    "fund_held_minor",
)

_WRITE_LINES = text(f"""
INSERT INTO order_line (order_id, ordered_at, {", ".join(_LINE)})
SELECT :order_id, :ordered_at, * FROM unnest({", ".join(f"CAST(:{name} AS bigint[])" for name in _LINE)})
ON CONFLICT (order_id, offering_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _LINE)},
  ordered_at = CASE WHEN excluded.wish > order_line.wish OR excluded.up_to > order_line.up_to
                    THEN excluded.ordered_at ELSE order_line.ordered_at END
RETURNING *
""")  # noqa: S608 - put together from the names above only
_WRITTEN_LINES = select(OrderLine).from_statement(_WRITE_LINES)
"""Write an order's lines in one statement of a fixed text, however many they are; a line is last ordered when it was last raised."""


def _price(of: Offering | OrderLine) -> dict[str, int]:
    unit_minor = of.price_minor if isinstance(of, Offering) else of.unit_minor
    return {"unit_minor": unit_minor, "deposit_minor": of.deposit_minor}


def _change(line: OrderLine, was: Mapping[int, tuple[int, int]]) -> HoldChange:
    minor, fund = was.get(line.id, (0, 0))
    return HoldChange(line.id, held_for(line) - minor, line.fund_held_minor - fund)


def held_for(line: OrderLine) -> int:
    """Return what is held for a line until it is shared out."""
    full = line.up_to * (line.unit_minor + line.deposit_minor)
    return full if line.held_minor is None else line.held_minor


def _refuse_in_a_choice(wishes: Sequence[Wish], held: Mapping[int, OrderLine]) -> None:
    for wish in wishes:
        line = held.get(wish.offering_id)
        if wish.wish and line is not None and line.choice is not None and wish.choice != line.choice:
            raise RuleBroken(
                "in_a_choice",
                "This batch is one of your alternatives. Change it where you said what you would take instead.",
                field=f"wish-{wish.offering_id}",
            )


def _settle_choices(session: Session, order_id: int) -> Sequence[OrderLine]:
    """Check the choices of an order and say what each line holds; a choice of one line is a wish like any other."""
    session.expire_all()
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)).all()
    chosen: dict[int, list[OrderLine]] = {}
    for line in lines:
        if line.choice is not None:
            chosen.setdefault(line.choice, []).append(line)
    for own in chosen.values():
        if len(own) == 1:
            own[0].choice = own[0].rank = own[0].held_minor = None
            own[0].fund_held_minor = own[0].fund_minor
            continue
        check_choice([(line.wish, line.up_to, line.rank or 0) for line in own])
        dearest = max(own, key=lambda line: line.unit_minor + line.deposit_minor)
        for line in own:
            line.held_minor = line.wish * (line.unit_minor + line.deposit_minor) if line is dearest else 0
            line.fund_held_minor = _fund_holds(line.fund_minor, len(own)) if line is dearest else 0
    session.flush()
    return lines


def _fund_holds(fund_minor: int, lines: int) -> int:
    """Let the household hold a cent more for each alternative, since what each comes to is rounded by itself."""
    less = fund_minor - (lines - 1)
    return max(0, less) if fund_minor >= 0 else less


def _check_most(session: Session, order: HouseholdOrder, at: datetime) -> None:
    """Refuse an order that may cost its household more than it lets it, what the hardship fund bears apart."""
    if order.most_minor is None:
        return
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == order.id), execution_options={"populate_existing": True})  # fmt: skip
    at_most = sum(held_for(line) - line.fund_held_minor for line in lines)
    if at_most > order.most_minor:
        agreed = policy.all_current(session, at=at)
        cost, most = (format_minor(minor, minor_exponent(agreed["currency"])) for minor in (at_most, order.most_minor))
        raise RuleBroken(
            "over_most",
            f"This order may cost {cost} {agreed['currency']}, and you let it cost {most} at most. Ask for less, or let it cost more.",
            field="most",
        )


def _hold(
    session: Session,
    order: HouseholdOrder,
    changes: Sequence[HoldChange],
    *,
    kind: str = "order",
    by: int,
    at: datetime,
) -> None:
    party = household_party(order.household_id)
    postings = held_for_order(party, changes)
    if not postings:
        return
    agreed = policy.all_current(session, at=at)
    fund = sum(change.fund for change in changes)
    gap = sum(change.minor for change in changes) - fund + ledger.balance_of(session, MEMBER_CREDIT, party)
    if gap > 0:
        missing = format_minor(gap, minor_exponent(agreed["currency"]))
        raise RuleBroken(
            "insufficient_credit",
            f"At most this order costs {missing} {agreed['currency']} more than your credit. Ask for less, or top up first.",
        )
    if fund and fund > ledger.hold_fund(session):
        raise RuleBroken("fund_insufficient", "The hardship fund cannot bear its part of this order now. Ask for less, or speak to the co-op.")  # fmt: skip
    memo = session.get_one(Pool, order.pool_id).name
    entry = Entry(f"{kind}:{order.id}:{order.edits}", kind, local_day(at, agreed["zone"]), postings, memo)
    ledger.post(session, entry, by=by, currency=agreed["currency"])


def bring_in_orders(session: Session, orders: Sequence[NewOrder], *, by: int, currency: str) -> int:
    """Place many orders as `place_order` does one: each a row, its lines, and one entry that holds their price; return the lines."""
    order_ids = take_ids(session, "household_order", len(orders))
    line_ids = iter(take_ids(session, "order_line", sum(len(order.lines) for order in orders)))
    columns = ("id", "pool_id", "household_id", "placed_at")
    copy_rows(
        session, "household_order", columns, ((i, *order[:3]) for i, order in zip(order_ids, orders, strict=True))
    )
    rows: list[tuple[object, ...]] = []
    entries: list[Entry] = []
    for order_id, order in zip(order_ids, orders, strict=True):
        changes = []
        for offering_id, wish, unit_minor, ordered_at in order.lines:
            line_id = next(line_ids)
            rows.append((line_id, order_id, offering_id, wish, wish, unit_minor, ordered_at))
            changes.append(HoldChange(line_id, wish * unit_minor))
        postings = held_for_order(household_party(order.household_id), changes)
        if postings:
            entries.append(Entry(f"order:{order_id}:0", "order", order.business_date, postings))
    line_columns = ("id", "order_id", "offering_id", "wish", "up_to", "unit_minor", "ordered_at")
    copy_rows(session, "order_line", line_columns, rows)
    ledger.post_all(session, entries, by=by, currency=currency)
    return len(rows)

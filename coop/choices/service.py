"""Say what a household would take instead of a batch: a choice, ranked, of which it takes its wish in all."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coop import keys
from coop.core.claims import TOGETHER_RULE
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db
from coop.orders import service as orders
from coop.orders.models import HouseholdOrder, OrderLine
from coop.pools.models import Offering, Pool
from coop.seasons.models import Season
from coop.wishes.service import Wish


def choose(
    db: Db,
    pool_id: int,
    offering_id: int,
    instead: Sequence[int],
    *,
    household_id: int,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Name the batches to take instead of one that is wished for, the best liked first, or none; return the order's id.

    The wish stays the number of pieces, whichever they are, and what is held is the dearest outcome. Raises
    `same_line_twice`, `not_together`, `already_wished`, `bad_choice`, and what `place_order` raises.
    """
    with db.begin() as session:
        body = {"act": "choose", "pool": pool_id, "offering": offering_id, "instead": list(instead)}
        if (earlier := keys.spend(session, by=by, key=key, body=body | {"household": household_id})) is not None:
            return earlier
        lines = _lines(session, pool_id, household_id)
        first = lines.get(offering_id)
        if first is None or not first.wish:
            raise NotFound("There is no such wish in your order.")
        own = {line.offering_id for line in lines.values() if line.choice is not None and line.choice == first.choice}
        _check(session, pool_id, [offering_id, *instead], {n for n, line in lines.items() if line.wish} - own)
        number = first.choice or 1 + max((line.choice or 0 for line in lines.values()), default=0)
        wanted = [offering_id, *instead] if instead else [offering_id]
        wishes = [_wish(session, n, first.wish, number if instead else None, rank) for rank, n in enumerate(wanted, 1)]
        gone = [_wish(session, n, 0, None, 0) for n in sorted(own - set(wanted))]
        if not instead:
            gone = [_wish(session, n, 0, None, 0) for n in sorted(own - {offering_id})]
            wishes = []
        order_id = orders.write_order(session, pool_id, [*gone, *wishes], household_id=household_id, by=by, at=at)
        keys.answer(session, by=by, key=key, row_id=order_id)
        return order_id


def _lines(session: Session, pool_id: int, household_id: int) -> dict[int, OrderLine]:
    found = select(OrderLine).join(HouseholdOrder, HouseholdOrder.id == OrderLine.order_id)
    mine = found.where(HouseholdOrder.pool_id == pool_id, HouseholdOrder.household_id == household_id)
    return {line.offering_id: line for line in session.scalars(mine)}


def _check(session: Session, pool_id: int, named: Sequence[int], elsewhere: set[int]) -> None:
    """Refuse alternatives that cannot stand in for one another."""
    rule = func.coalesce(Offering.rule, Season.rule)
    asked = select(Offering.id, rule).join(Pool, Pool.id == Offering.pool_id).join(Season, Season.id == Pool.season_id)
    offered = session.execute(asked.where(Offering.pool_id == pool_id, Offering.id.in_(named)))
    rules: dict[int, str] = dict(offered.all())
    for place, n in enumerate(named):
        at = f"instead_{place}" if place else ""
        if n not in rules:
            raise NotFound("One of these batches is not offered in this pool.")
        if n in named[:place]:
            raise RuleBroken("same_line_twice", "This batch is named already. Name each once.", field=at)
        if rules[n] != TOGETHER_RULE:
            raise RuleBroken(
                "not_together", "This batch is shared out by itself, so nothing can stand in for it.", field=at
            )
        if place and n in elsewhere:
            raise RuleBroken(
                "already_wished",
                "You wish for this batch as well. Take that wish back first, or name another.",
                field=at,
            )


def _wish(session: Session, offering_id: int, pieces: int, choice: int | None, rank: int) -> Wish:
    offering = session.get_one(Offering, offering_id)
    shown = (offering.price_minor, offering.deposit_minor)
    return Wish(offering_id, pieces, pieces, *shown, choice=choice, rank=rank if choice else None)

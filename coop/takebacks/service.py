"""Take lines of an order back before its pool is shared out, whatever the cut-off, and tell the household."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.allocation import service as allocation
from coop.allocation.models import AllocationRun
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import MEMBER_CREDIT, household_party
from coop.db import Db
from coop.ledger import service as ledger
from coop.orders import service as orders
from coop.orders.models import HouseholdOrder, OrderLine
from coop.people import service as people
from coop.pools.models import Pool


def take_back(db: Db, line_ids: Sequence[int], *, reason: str, by: int, at: datetime, key: str) -> int:
    """Take lines of one order back, so that what was held for them is credit again; return the order.

    Raises `reason_missing`, and `too_late` once the pool is being shared out.
    """
    with db.begin() as session:
        body = {"act": "take_back", "lines": sorted(line_ids), "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say why: the household reads it in its mail.", field="reason")
        order = _order_of(session, line_ids)
        pool = session.get_one(Pool, order.pool_id, with_for_update=True)
        run = select(AllocationRun.id).where(AllocationRun.pool_id == pool.id, AllocationRun.state.in_(allocation.LIVE))
        if session.scalar(run) is not None:
            raise RuleBroken(
                "too_late", "The pool is being shared out, or it is shared out already, so this line stands."
            )
        people.lock_household(session, order.household_id)
        lines = [row._asdict() for row in session.execute(_WISHED, {"lines": list(line_ids)})]
        owed = ledger.balance_of(session, MEMBER_CREDIT, household_party(order.household_id))
        for line_id in sorted(line_ids):
            orders.take_back_line(session, line_id, by=by, at=at)
        back = owed - ledger.balance_of(session, MEMBER_CREDIT, household_party(order.household_id))
        values = {"pool": pool.name, "lines": lines, "amount_minor": back, "reason": reason.strip()}
        told = f"order_taken_back:{order.id}:{order.edits}"
        people.tell_household(session, told, "order_taken_back", order.household_id, values)
        audit.record(session, "take_back", by=by, subject=("order", order.id), detail=body | {"lines_were": lines})
        keys.answer(session, by=by, key=key, row_id=order.id)
        return order.id


def _order_of(session: Session, line_ids: Sequence[int]) -> HouseholdOrder:
    found = session.execute(select(OrderLine.id, OrderLine.order_id).where(OrderLine.id.in_(line_ids))).all()
    if len(found) < len(set(line_ids)) or len({row.order_id for row in found}) != 1:
        raise NotFound("These are no lines of one order.")
    return session.get_one(HouseholdOrder, found[0].order_id)


_WISHED = text("""
SELECT d.name AS product, l.wish AS pieces FROM order_line l JOIN offering f ON f.id = l.offering_id JOIN product d ON d.id = f.product_id
 WHERE l.id = ANY(:lines) ORDER BY l.id
""")

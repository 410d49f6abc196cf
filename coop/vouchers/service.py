"""Write an entry by hand, and let it count as a second person."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry
from coop.core.season import local_day
from coop.core.vouchers import VoucherLine, by_hand
from coop.db import Db, locked
from coop.ledger import service as ledger
from coop.policy import service as policy
from coop.seconding import service as seconding
from coop.vouchers.models import Voucher


def write(db: Db, lines: Sequence[VoucherLine], *, on: date, reason: str, by: int, at: datetime, key: str) -> int:
    """Write an entry that waits for a second person; return it.

    Raises `reason_missing`, `future_date`, `period_closed`, `control_account`, and what an entry that does not balance does.
    """
    body = {"act": "voucher", "lines": [list(line) for line in lines], "on": on.isoformat(), "reason": reason}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say what it is for: it stays in the books.", field="reason")
        if on > local_day(at, policy.current(session, "zone", at=at)):
            raise RuleBroken("future_date", "Book what has happened: today or earlier.", field="on")
        ledger.refuse_closed(session, on)
        voucher = Voucher(
            business_date=on,
            reason=reason.strip(),
            lines=[list(line) for line in lines],
            state="waiting",
            asked_by=by,
            asked_at=at,
        )
        _entry(voucher, lines, key="checked")
        session.add(voucher)
        session.flush()
        _record(session, "write_voucher", voucher, by=by)
        keys.answer(session, by=by, key=key, row_id=voucher.id)
        return voucher.id


def approve(db: Db, voucher_id: int, *, by: int, at: datetime) -> int:
    """Let an entry count, as a second person; return it. Repeating it changes nothing.

    Raises `second_person`, `not_waiting` and `period_closed`.
    """
    with db.begin() as session:
        voucher = locked(session, Voucher, voucher_id, called="entry")
        if seconding.is_done(voucher, by=by):
            assert voucher.entry_id is not None
            return voucher.entry_id
        entry = _entry(voucher, [VoucherLine(*line) for line in voucher.lines], key=f"manual:{voucher.id}")
        voucher.entry_id = ledger.post(session, entry, by=by, currency=policy.current(session, "currency", at=at))
        seconding.settle(voucher, by=by, at=at)
        _record(session, "approve_voucher", voucher, by=by)
        return voucher.entry_id


def withdraw(db: Db, voucher_id: int, *, by: int, at: datetime) -> None:
    """Let an entry fall that waits; who wrote it may as well. Raises `not_waiting`."""
    with db.begin() as session:
        voucher = locked(session, Voucher, voucher_id, called="entry")
        if seconding.withdraw(voucher, by=by, at=at):
            _record(session, "withdraw_voucher", voucher, by=by)


def _entry(voucher: Voucher, lines: Sequence[VoucherLine], *, key: str) -> Entry:
    return Entry(key, "manual", voucher.business_date, by_hand(lines), voucher.reason)


def _record(session: Session, act: str, voucher: Voucher, *, by: int) -> None:
    detail = {"reason": voucher.reason, "lines": voucher.lines, "entry": voucher.entry_id}
    audit.record(session, act, by=by, subject=("voucher", voucher.id), detail=detail)

"""Note a balance as the outside world has it."""

from datetime import date, datetime

from coop import keys
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.core.money import AMOUNT_LIMIT
from coop.core.season import local_day
from coop.counted.models import CountedBalance
from coop.counted.queries import COUNTED
from coop.db import Db
from coop.policy import service as policy


def note_balance(db: Db, account_code: int, minor: int, *, on: date, note: str, by: int, at: datetime, key: str) -> int:
    """Note what stood outside at the end of a day; return the note. It changes no entry: the pages say how far the books differ.

    Raises `unknown_account`, `future_date` and `too_large`.
    """
    body = {"act": "count", "account": account_code, "minor": minor, "on": on.isoformat(), "note": note}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if account_code not in COUNTED:
            raise RuleBroken("unknown_account", "Bank, card provider and containers are counted.", field="account")
        if on > local_day(at, policy.current(session, "zone", at=at)):
            raise RuleBroken("future_date", "Note what was counted: today or earlier.", field="on")
        if abs(minor) > AMOUNT_LIMIT:
            raise RuleBroken("too_large", "This is more than an account can hold.", field="amount")
        row = CountedBalance(
            account_code=account_code, counted_on=on, amount_minor=minor, note=note, noted_by=by, noted_at=at
        )
        session.add(row)
        session.flush()
        audit.record(session, "note_balance", by=by, subject=("counted_balance", row.id), detail=body)
        keys.answer(session, by=by, key=key, row_id=row.id)
        return row.id

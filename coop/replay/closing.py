"""Close the months of a scenario and divide their result: what a treasurer, a second person and the bank do one after another."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import keys
from coop.closing import service as closing
from coop.core.dividend import Bylaw
from coop.core.errors import RuleBroken
from coop.core.money import BASIS_POINTS
from coop.core.season import month_of
from coop.db import Db
from coop.dividends import service as dividends
from coop.dividends.queries import bylaws
from coop.equity import service as equity
from coop.replay.stage import APPROVES, ASKS


class Claim(NamedTuple):
    """A closing as it was asked for, under the key of its event."""

    key: str
    reserve_bp: int
    cash_bp: int

    def spend(self, session: Session) -> int | None:
        """Claim the key in the caller's transaction. Raises `key_reused`."""
        return keys.spend(session, by=ASKS, key=self.key, body={"act": "close", "asked": list(self)})


def answered(db: Db, claim: Claim) -> int | None:
    """Return what the same closing made before, None where there was none; nothing is kept."""
    with db() as session:
        return claim.spend(session)


def keep(db: Db, claim: Claim, made: int) -> None:
    """Keep what a closing made under its key."""
    with db.begin() as session:
        claim.spend(session)
        keys.answer(session, by=ASKS, key=claim.key, row_id=made)


def month_after(at: datetime) -> datetime:
    """Return noon of the first day of the month after: a month is closed once it is over."""
    _, ends = month_of(at.date())
    return datetime.combine(ends + timedelta(days=1), time(12), UTC)


def close(db: Db, *, reserve_bp: int, cash_bp: int, at: datetime) -> int:
    """Close every month that is over, and divide the surplus by this bylaw, or let the reserve bear the loss; return the dividend.

    0 where there was no result at all. These are many commands: where it died among them, asking again goes on from there.
    """
    months = _rows(db, "SELECT id, ends FROM period WHERE ends < :today ORDER BY starts", today=at.date())
    if not months:
        raise RuleBroken("not_closed", "Nothing was booked yet, so there is nothing to close.")
    for (done,) in _rows(db, "SELECT id FROM dividend WHERE state = 'done' AND ends = :through", through=months[-1][1]):
        return int(done)
    begins = _begins(db)
    bylaw = Bylaw(reserve_bp=reserve_bp, members_bp=BASIS_POINTS - reserve_bp, cash_bp=cash_bp)
    with db() as session:
        is_adopted = begins in {one.in_force_from for one in bylaws(session, at=at)}
    if not is_adopted:
        dividends.adopt_bylaw(db, bylaw, in_force_from=begins, by=ASKS, at=at)
    for (period_id,) in _rows(db, "SELECT id FROM period WHERE closed_at IS NULL AND ends < :today ORDER BY starts", today=at.date()):  # fmt: skip
        asked = _rows(db, "SELECT id FROM period_decision WHERE period_id = :id AND state = 'waiting'", id=period_id)
        decision = asked[0][0] if asked else closing.ask_to_close(db, period_id, by=ASKS, at=at)
        closing.approve(db, decision, by=APPROVES, at=at)
    proposed = _rows(db, "SELECT id FROM dividend WHERE state = 'waiting'")
    if made := proposed[0][0] if proposed else _proposed(db, months[-1][1], at=at):
        dividends.approve(db, made, by=APPROVES, at=at)
    return int(made)


def pay(db: Db, *, minimum_minor: int, at: datetime, key: str) -> int:
    """Pay the latest dividend out, and let the bank confirm it."""
    found = _rows(db, "SELECT id FROM dividend WHERE state = 'done' AND result_minor > 0 ORDER BY id DESC LIMIT 1")
    if not found:
        raise RuleBroken("not_posted", "There is no dividend to pay out.")
    sent = dividends.pay_out(db, found[0][0], minimum_minor=minimum_minor, by=ASKS, at=at, key=key)
    waiting = "SELECT id FROM household_payment WHERE sent_entry_id IS NOT NULL AND settled_on IS NULL ORDER BY id"
    for (payment_id,) in _rows(db, waiting):
        equity.note_paid(db, payment_id, on=at.date(), by=ASKS, at=at, key=f"{key}:{payment_id}")
    return sent


def _proposed(db: Db, through: date, *, at: datetime) -> int:
    for propose, nothing in ((dividends.propose, "no_surplus"), (dividends.propose_loss, "no_loss")):
        try:
            return propose(db, through, by=ASKS, at=at)
        except RuleBroken as broken:
            if broken.code != nothing:
                raise
    return 0


def _begins(db: Db) -> date:
    """Return the first day that no dividend covers yet; something was booked."""
    (row,) = _rows(
        db,
        "SELECT coalesce((SELECT max(ends) + 1 FROM dividend WHERE state = 'done'), (SELECT min(starts) FROM period))",
    )
    day: date = row[0]
    return day


def _rows(db: Db, query: str, **values: object) -> list[tuple[Any, ...]]:
    with db() as session:
        return [tuple(row) for row in session.execute(text(query), values)]

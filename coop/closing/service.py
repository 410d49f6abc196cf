"""Close a month of the books, or open it again: one person asks, another does it."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.closing import queries
from coop.closing.models import PeriodDecision
from coop.core.dividend import result_closed
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry
from coop.db import Db, locked
from coop.dividends import queries as dividends
from coop.ledger import service as ledger
from coop.ledger.models import Period
from coop.policy import service as policy
from coop.seconding import service as seconding

CLOSE, REOPEN = "close", "reopen"


def ask_to_close(db: Db, period_id: int, *, by: int, at: datetime) -> int:
    """Ask a second person to close a month; return the decision. Raises the first obstacle's code, and `period_closed`."""
    with db.begin() as session:
        period = locked(session, Period, period_id, called="month in the books")
        if period.closed_at is not None:
            raise RuleBroken("period_closed", "This month is closed already.")
        _refuse_obstacles(session, period_id, at=at)
        return _ask(session, period_id, CLOSE, "", by=by, at=at)


def ask_to_reopen(db: Db, period_id: int, *, reason: str, by: int, at: datetime) -> int:
    """Ask a second person to open a closed month again, an exception that stays in the record; return the decision.

    Raises `reason_missing`, `not_closed` and `already_divided`.
    """
    with db.begin() as session:
        period = locked(session, Period, period_id, called="month in the books")
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say why it is opened again: it stays in the record.", field="reason")
        _refuse_reopening(session, period)
        return _ask(session, period_id, REOPEN, reason.strip(), by=by, at=at)


def approve(db: Db, decision_id: int, *, by: int, at: datetime) -> int | None:
    """Do what was asked, as a second person; return the entry that moved the month's result, None where there was none.

    Repeating it changes nothing. Raises `second_person`, `not_waiting`, and whatever stands in the way by now.
    """
    with db.begin() as session:
        decision = locked(session, PeriodDecision, decision_id, called="decision")
        if seconding.is_done(decision, by=by):
            return decision.entry_id
        period = ledger.hold_period(session, decision.period_id)
        act = _close if decision.kind == CLOSE else _reopen
        decision.entry_id = act(session, period, by=by, at=at)
        seconding.settle(decision, by=by, at=at)
        _record(session, f"{decision.kind}_period", decision, by=by)
        return decision.entry_id


def withdraw(db: Db, decision_id: int, *, by: int, at: datetime) -> None:
    """Let what was asked fall. Raises `not_waiting`."""
    with db.begin() as session:
        decision = locked(session, PeriodDecision, decision_id, called="decision")
        if seconding.withdraw(decision, by=by, at=at):
            _record(session, "withdraw_period_decision", decision, by=by)


def _close(session: Session, period: Period, *, by: int, at: datetime) -> int | None:
    _refuse_obstacles(session, period.id, at=at)
    entry_id, day = None, period.ends
    if postings := result_closed(queries.income_and_expense(session, period.id)):
        currency = policy.current(session, "currency", at=at)
        entry = Entry(_free_key(session, f"close:{period.starts}"), "close", day, postings)
        entry_id = ledger.post(session, entry, by=by, currency=currency)
    ledger.close_period(session, period.id, by=by)
    return entry_id


def _reopen(session: Session, period: Period, *, by: int, at: datetime) -> int | None:
    _refuse_reopening(session, period)
    ledger.reopen_period(session, period.id)
    closed = session.scalar(
        select(PeriodDecision.entry_id)
        .where(PeriodDecision.period_id == period.id, PeriodDecision.kind == CLOSE, PeriodDecision.state == "done")
        .order_by(PeriodDecision.id.desc())
        .limit(1)
    )
    if closed is None:
        return None
    entry = ledger.stored(session, closed)
    mirror = entry.reversed(key=f"rev:{closed}", business_date=entry.business_date, memo="opened again")
    return ledger.post(session, mirror, by=by, currency=policy.current(session, "currency", at=at))


def _free_key(session: Session, key: str) -> str:
    """Return the key of a month's closing; one that was opened again is closed under a further number."""
    closed = session.scalar(
        text("SELECT count(*) FROM entry WHERE key = :key OR key LIKE :more"), {"key": key, "more": f"{key}:%"}
    )
    return f"{key}:{closed + 1}" if closed else key


def _ask(session: Session, period_id: int, kind: str, reason: str, *, by: int, at: datetime) -> int:
    waiting = select(PeriodDecision.id).where(PeriodDecision.period_id == period_id, PeriodDecision.state == "waiting")
    if session.scalar(waiting) is not None:
        raise RuleBroken("decision_waits", "This month waits for a second person already.")
    decision = PeriodDecision(period_id=period_id, kind=kind, reason=reason, state="waiting", asked_by=by, asked_at=at)
    session.add(decision)
    session.flush()
    _record(session, f"ask_to_{kind}_period", decision, by=by)
    return decision.id


def _refuse_obstacles(session: Session, period_id: int, *, at: datetime) -> None:
    found = queries.obstacles(session, period_id, at=at)
    if found:
        raise RuleBroken(found[0].code, found[0].sentence)


def _refuse_reopening(session: Session, period: Period) -> None:
    if period.closed_at is None:
        raise RuleBroken("not_closed", "This month is open.")
    if dividends.covers(session, period.ends):
        raise RuleBroken("already_divided", "Its result is divided already. Book what is right in an open month.")


def _record(session: Session, act: str, decision: PeriodDecision, *, by: int) -> None:
    detail = {"decision": decision.id, "reason": decision.reason, "entry": decision.entry_id}
    audit.record(session, act, by=by, subject=("period", decision.period_id), detail=detail)

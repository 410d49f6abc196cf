"""Plan a share's monthly instalments, and remind by mail: three days before, and one and two weeks after, each once."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import local_day, months_from
from coop.db import Db
from coop.instalments import service as instalments
from coop.monthly.models import StandingPayment
from coop.people import service as people
from coop.policy import service as policy
from coop.seasons.models import Season, SeasonShare, ShareSize

MOST_MONTHS: Final = 24
_DAYS_BEFORE: Final = 3
_LATE: Final = ((14, 30), (7, 14))
"""Days after the due day from which each reminder is sent, and before which it still makes sense."""


def pay_monthly(
    db: Db, share_id: int, *, household_id: int, months: int, first_due_on: date, by: int, at: datetime, key: str
) -> int:
    """Plan what a share still costs as so many monthly instalments from a day on, in place of what was planned; return the plan.

    Raises `share_ended`, `nothing_owed`, `bad_months`, `past_date` and `too_many_months`.
    """
    with db.begin() as session:
        body = {"act": "pay_monthly", "share": share_id, "months": months, "first": first_due_on.isoformat()}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        people.lock_household(session, household_id)
        share = session.get(SeasonShare, share_id, populate_existing=True)
        if share is None or share.household_id != household_id:
            raise NotFound("This household has no such season share.")
        if share.ended_at is not None:
            raise RuleBroken("share_ended", "This share was given up.")
        days = _days(session, share, months, first_due_on, today=local_day(at, policy.current(session, "zone", at=at)))
        instalments.plan_anew(session, share_id, days)
        for earlier in session.scalars(select(StandingPayment).where(*_current(share_id)).with_for_update()):
            earlier.ended_at = at
        session.flush()
        plan = StandingPayment(share_id=share_id, months=months, first_due_on=first_due_on, agreed_at=at, agreed_by=by)
        session.add(plan)
        session.flush()
        audit.record(session, "pay_monthly", by=by, subject=("season_share", share_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=plan.id)
        return plan.id


def remind(db: Db, *, at: datetime) -> int:
    """Write to the households whose monthly instalments fall due or are late and not paid; return how many reminders were due.

    Repeating it sends nothing twice. What is prepaid covers instalments in the order of their days.
    """
    with db.begin() as session:
        agreed = policy.all_current(session, at=at)
        today = local_day(at, agreed["zone"])
        told = 0
        for row in session.execute(_UNPAID, {"through": today + timedelta(days=_DAYS_BEFORE)}):
            reminder = _reminder(row.due_on, today)
            if reminder:
                told += 1
                values = {"amount_minor": row.missing, "due_on": row.due_on.isoformat(), "share": row.words}
                template = "instalment_soon" if reminder == "soon" else "instalment_late"
                people.tell_household(session, f"instalment:{row.id}:{reminder}", template, row.household_id, values)
        return told


def _reminder(due_on: date, today: date) -> str:
    """Name the reminder that an unpaid instalment calls for on a day; none on most."""
    late = (today - due_on).days
    if -_DAYS_BEFORE <= late < 0:
        return "soon"
    return next((f"late{after}" for after, before in _LATE if after <= late < before), "")


def _days(session: Session, share: SeasonShare, months: int, first: date, *, today: date) -> list[date]:
    if not 2 <= months <= MOST_MONTHS:
        raise RuleBroken("bad_months", f"Choose from 2 to {MOST_MONTHS} months.", field="months")
    if first < today:
        raise RuleBroken("past_date", "The first payment is today or later.", field="first")
    size = session.get_one(ShareSize, share.size_id)
    season = session.get_one(Season, size.season_id)
    days = [months_from(first, n) for n in range(months)]
    if days[-1] > season.ends:
        raise RuleBroken("too_many_months", f"The last payment would fall after the season, which ends on {season.ends:%d %B %Y}.", field="months")  # fmt: skip
    return days


def _current(share_id: int) -> tuple[ColumnElement[bool], ...]:
    return StandingPayment.share_id == share_id, StandingPayment.ended_at.is_(None)


_UNPAID = text("""
WITH planned AS (
  SELECT i.id, i.share_id, s.household_id, i.due_on, i.amount_minor,
         sum(i.amount_minor) OVER (PARTITION BY s.household_id ORDER BY i.due_on, i.id) AS so_far
    FROM instalment i JOIN season_share s ON s.id = i.share_id AND s.ended_at IS NULL
   WHERE i.released_at IS NULL
     AND s.household_id IN (SELECT x.household_id FROM standing_payment p JOIN season_share x ON x.id = p.share_id
                             WHERE p.ended_at IS NULL AND x.ended_at IS NULL))
SELECT n.id, n.household_id, n.due_on, z.name || ' share, ' || e.name AS words,
       least(n.amount_minor, n.so_far + coalesce(b.amount, 0))::bigint AS missing
  FROM planned n
  JOIN standing_payment p ON p.share_id = n.share_id AND p.ended_at IS NULL
  JOIN season_share s ON s.id = n.share_id
  JOIN share_size z ON z.id = s.size_id
  JOIN season e ON e.id = z.season_id
  LEFT JOIN account a ON a.code = 2010 AND a.party = 'household:' || n.household_id
  LEFT JOIN balance b ON b.account_id = a.id
 WHERE n.due_on <= :through AND n.so_far + coalesce(b.amount, 0) > 0
 ORDER BY n.household_id, n.due_on, n.id
""")

"""Agree with a household what it pays of each price, and what of an order the hardship fund bears."""

from datetime import date, datetime

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.hardship import NO_HELP, Help, check_tier
from coop.core.season import local_day
from coop.db import Db
from coop.hardship.models import HardshipTier
from coop.people import service as people
from coop.policy import service as policy


def grant_tier(
    db: Db, household_id: int, *, tier_bp: int, through: date, reason: str, by: int, at: datetime, key: str
) -> int:
    """Let a household pay this part of each price, until a day; orders placed before stay as they are. It replaces the tier before.

    Raises `bad_tier`, `in_the_past` or `reason_missing`.
    """
    with db.begin() as session:
        body = {"act": "grant_tier", "household": household_id, "tier_bp": tier_bp, "through": through.isoformat()}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        people.lock_household(session, household_id)
        if through < local_day(at, policy.current(session, "zone", at=at)):
            raise RuleBroken("in_the_past", "Choose today or a day to come.", field="through")
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say in a few words what was agreed; only those who grant it read it.", field="reason")  # fmt: skip
        _end_current(session, household_id, by=by, at=at)
        tier = HardshipTier(
            household_id=household_id,
            tier_bp=check_tier(tier_bp),
            through=through,
            reason=reason.strip(),
            granted_by=by,
            granted_at=at,
        )
        session.add(tier)
        session.flush()
        subject = ("household", household_id)
        audit.record(session, "grant_tier", by=by, subject=subject, detail={"tier": tier.id})
        keys.answer(session, by=by, key=key, row_id=tier.id)
        return tier.id


def end_tier(db: Db, household_id: int, *, by: int, at: datetime) -> None:
    """Let a household pay the price itself from now on; orders placed before stay as they are."""
    with db.begin() as session:
        people.lock_household(session, household_id)
        if not _end_current(session, household_id, by=by, at=at):
            raise NotFound("This household has no tier.")
        audit.record(session, "end_tier", by=by, subject=("household", household_id))


_TIER = text("SELECT tier_bp, through FROM hardship_tier WHERE household_id = :household AND ended_at IS NULL")


def tier_of(session: Session, household_id: int, *, at: datetime) -> Help:
    """Return how the fund stands in for what a household orders now."""
    current = session.execute(_TIER, {"household": household_id}).first()
    if current is None or current.through < local_day(at, policy.current(session, "zone", at=at)):
        return NO_HELP
    return Help(current.tier_bp)


def _end_current(session: Session, household_id: int, *, by: int, at: datetime) -> bool:
    current = session.scalar(_current(household_id))
    if current is None:
        return False
    current.ended_at, current.ended_by = at, by
    session.flush()
    return True


def _current(household_id: int) -> Select[HardshipTier]:
    return select(HardshipTier).where(HardshipTier.household_id == household_id, HardshipTier.ended_at.is_(None))

"""What a household pays for its season shares: prepaid (2010) until instalments fall due, in the order of their days."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime

from sqlalchemy import BigInteger, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.dealings import share_moved, share_refunded, taken_off
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    SHARE_PREPAID,
    Entry,
    Posting,
    household_party,
    instalment_released,
    season_share_paid,
)
from coop.core.money import AMOUNT_LIMIT, format_minor, minor_exponent, split
from coop.core.season import local_day
from coop.db import Db
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.seasons.models import Instalment, SeasonShare


def share_paid(
    session: Session, share_id: int, minor: int, *, household_id: int, on: date, key: str, by: int, at: datetime
) -> int:
    """Book a payment for a household's share under the bank's key, release what is due and covered, and return the entry's id.

    Raises `share_ended`, and `more_than_owed` for money beyond what the household's shares still cost.
    """
    people.lock_household(session, household_id)
    share = session.get(SeasonShare, share_id, populate_existing=True)
    if share is None or share.household_id != household_id:
        raise NotFound("This household has no such season share.")
    if share.ended_at is not None:
        raise RuleBroken("share_ended", "This share was given up; record the payment as credit.", field="share")
    party = household_party(household_id)
    if minor > _still_to_release(session, household_id) - _prepaid(session, party):
        raise RuleBroken("more_than_owed", "This is more than the household's shares still cost; record the rest as credit.", field="amount")  # fmt: skip
    policies = policy.all_current(session, at=at)
    paid = Entry(key, "share_paid", on, season_share_paid(party, minor), f"season share {share_id}")
    entry_id = ledger.post(session, paid, by=by, currency=policies["currency"])
    today = local_day(at, policies["zone"])
    _release_covered(session, through=today, on=max(on, today), by=by, at=at, household_ids={household_id})
    return entry_id


def owed_by(session: Session, household_ids: AbstractSet[int]) -> dict[int, int]:
    """Return what the shares of each household still cost beyond what it has prepaid, 0 or more."""
    planned = (
        select(SeasonShare.household_id, func.sum(Instalment.amount_minor))
        .join(SeasonShare, SeasonShare.id == Instalment.share_id)
        .where(
            SeasonShare.household_id == any_(literal(list(household_ids), ARRAY(BigInteger))),
            SeasonShare.ended_at.is_(None),
            Instalment.released_at.is_(None),
        )
        .group_by(SeasonShare.household_id)
    )
    costs = {household_id: int(minor) for household_id, minor in session.execute(planned)}
    prepaid = _prepaid_all(session, household_ids)
    return {one: max(0, costs.get(one, 0) - prepaid[one]) for one in household_ids}


def release_of(session: Session, household_ids: AbstractSet[int], *, by: int, at: datetime) -> int:
    """Turn into credit what is due by today of these households' shares and paid now; return how many instalments."""
    today = local_day(at, policy.current(session, "zone", at=at))
    return _release_covered(session, through=today, on=today, by=by, at=at, household_ids=household_ids)


def release_instalments(db: Db, *, through: date | None = None, by: int, at: datetime) -> int:
    """Turn every paid instalment that is due by a day, or else by today, into credit; return how many.

    Repeating it changes nothing.
    """
    with db.begin() as session:
        today = local_day(at, policy.current(session, "zone", at=at))
        through = through or today
        if through > today:
            raise RuleBroken("future_date", "Instalments are released on their day, not before.", field="through")
        return _release_covered(session, through=through, on=today, by=by, at=at)


def release_early(db: Db, household_id: int, minor: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Turn a part of what a household has prepaid into credit before its day; its next instalments are less by it.

    Raises `reason_missing` and `insufficient_share`.
    """
    return _from_prepaid(db, "early_release", household_id, minor, instalment_released, reason=reason, by=by, at=at, key=key)  # fmt: skip


def refund_prepaid(db: Db, household_id: int, minor: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Send prepaid money back to a household from the bank; its next instalments are less by it.

    Raises `reason_missing` and `insufficient_share`.
    """
    return _from_prepaid(db, "share_refund", household_id, minor, share_refunded, reason=reason, by=by, at=at, key=key)


def move_prepaid(db: Db, from_id: int, to_id: int, minor: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Move prepaid money to another household, which took a season share over.

    Raises `reason_missing`, `insufficient_share`, `same_household`, and `more_than_owed` beyond what its shares still cost.
    """
    if from_id == to_id:
        raise RuleBroken("same_household", "Choose another household to move it to.", field="to")

    def moved(party: str, amount: int) -> tuple[Posting, ...]:
        return share_moved(party, household_party(to_id), amount)

    return _from_prepaid(db, "share_moved", from_id, minor, moved, to_id=to_id, reason=reason, by=by, at=at, key=key)


def _from_prepaid(
    db: Db,
    kind: str,
    household_id: int,
    minor: int,
    postings: Callable[[str, int], tuple[Posting, ...]],
    *,
    to_id: int | None = None,
    reason: str,
    by: int,
    at: datetime,
    key: str,
) -> int:
    with db.begin() as session:
        body = {"act": kind, "household": household_id, "minor": minor, "to": to_id, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say why: the household reads it, and it stays in the books.", field="reason")  # fmt: skip
        if not 0 < minor <= AMOUNT_LIMIT:
            raise RuleBroken("must_be_positive", "Give an amount above zero.", field="amount")
        for one in sorted({household_id, to_id or household_id}):
            people.lock_household(session, one)
        policies = policy.all_current(session, at=at)
        party = household_party(household_id)
        prepaid = _prepaid(session, party)
        if minor > prepaid:
            left = format_minor(prepaid, minor_exponent(policies["currency"]))
            raise RuleBroken("insufficient_share", f"{left} {policies['currency']} is prepaid; give at most that.", field="amount")  # fmt: skip
        if to_id is not None and minor > (owed := owed_by(session, {to_id})[to_id]):
            left = format_minor(owed, minor_exponent(policies["currency"]))
            raise RuleBroken("more_than_owed", f"Its season shares still cost {left} {policies['currency']}; move at most that.", field="amount")  # fmt: skip
        _plan_less(session, household_id, minor)
        today = local_day(at, policies["zone"])
        entry = Entry(f"{kind}:{by}:{key}", kind, today, postings(party, minor), reason.strip())
        entry_id = ledger.post(session, entry, by=by, currency=policies["currency"])
        _tell(session, entry_id, kind, household_id, minor, reason.strip(), to_id)
        audit.record(session, kind, by=by, subject=("household", household_id), detail=body | {"entry": entry_id})
        keys.answer(session, by=by, key=key, row_id=entry_id)
        return entry_id


def _tell(
    session: Session, entry_id: int, kind: str, household_id: int, minor: int, reason: str, to_id: int | None
) -> None:
    """Write to the household what became of its prepaid money, and to the one that it went to."""
    values = {"what": kind, "amount_minor": minor, "reason": reason}
    people.tell_household(session, f"prepaid_changed:{entry_id}", "prepaid_changed", household_id, values)
    if to_id is not None:
        received = values | {"what": "received"}
        people.tell_household(session, f"prepaid_received:{entry_id}", "prepaid_changed", to_id, received)


def _plan_less(session: Session, household_id: int, minor: int) -> None:
    """Take a sum off what the household's shares still cost, from the instalments that come first."""
    planned = session.scalars(
        select(Instalment)
        .join(SeasonShare, SeasonShare.id == Instalment.share_id)
        .where(
            SeasonShare.household_id == household_id, SeasonShare.ended_at.is_(None), Instalment.released_at.is_(None)
        )
        .order_by(Instalment.due_on, Instalment.id)
        .with_for_update(of=Instalment)
    ).all()
    for instalment, left in zip(planned, taken_off([one.amount_minor for one in planned], minor), strict=True):
        if left:
            instalment.amount_minor = left
        else:
            session.delete(instalment)
    session.flush()


def plan_instalment(session: Session, share_id: int, minor: int, *, due_on: date) -> None:
    """Let a share be paid in one sum on a day; one that costs nothing needs none."""
    if minor:
        session.add(Instalment(share_id=share_id, n=1, due_on=due_on, amount_minor=minor))


def owe_again(session: Session, share_id: int, minor: int, *, due_on: date) -> None:
    """Let a share that stands cost a sum again that was taken back, due on a day. The caller holds the household."""
    if session.get_one(SeasonShare, share_id).ended_at is None:
        last = session.scalar(select(func.max(Instalment.n)).where(Instalment.share_id == share_id)) or 0
        session.add(Instalment(share_id=share_id, n=last + 1, due_on=due_on, amount_minor=minor))
        session.flush()


def plan_anew(session: Session, share_id: int, days: Sequence[date]) -> None:
    """Divide what a share still costs over these days, the first ones a cent more, in place of what was planned. Raises `nothing_owed`.

    The caller holds the household. What was released stays.
    """
    planned = list(
        session.scalars(
            select(Instalment)
            .where(Instalment.share_id == share_id, Instalment.released_at.is_(None))
            .with_for_update()
        )
    )
    minor = sum(one.amount_minor for one in planned)
    if minor < len(days):
        raise RuleBroken("nothing_owed", "Nothing of this share is left to be planned.")
    last = session.scalar(select(func.max(Instalment.n)).where(Instalment.share_id == share_id)) or 0
    for one in planned:
        session.delete(one)
    session.flush()
    parts = zip(days, split(minor, [1] * len(days)), strict=True)
    for n, (due_on, part) in enumerate(parts, last + 1):
        session.add(Instalment(share_id=share_id, n=n, due_on=due_on, amount_minor=part))
    session.flush()


def give_back_prepaid(session: Session, share: SeasonShare, *, by: int, at: datetime) -> None:
    """Turn into credit what is prepaid beyond the household's other shares."""
    party = household_party(share.household_id)
    left = _prepaid(session, party) - _still_to_release(session, share.household_id)
    if left > 0:
        policies = policy.all_current(session, at=at)
        entry = Entry(f"share:{share.id}:ended", "instalment", local_day(at, policies["zone"]), instalment_released(party, left))  # fmt: skip
        ledger.post(session, entry, by=by, currency=policies["currency"])


def _release_covered(
    session: Session, *, through: date, on: date, by: int, at: datetime, household_ids: AbstractSet[int] | None = None
) -> int:
    due = (
        select(Instalment, SeasonShare.household_id)
        .join(SeasonShare, SeasonShare.id == Instalment.share_id)
        .where(Instalment.released_at.is_(None), Instalment.due_on <= through, SeasonShare.ended_at.is_(None))
        .order_by(SeasonShare.household_id, Instalment.due_on, Instalment.id)
        .with_for_update(of=Instalment)
    )
    if household_ids is not None:
        due = due.where(SeasonShare.household_id == any_(literal(list(household_ids), ARRAY(BigInteger))))
    rows = session.execute(due).all()
    left = _prepaid_all(session, {household for _, household in rows})
    entries = []
    for instalment, household in rows:
        if instalment.amount_minor > left[household]:
            left[household] = 0  # later instalments wait for the earlier ones
            continue
        left[household] -= instalment.amount_minor
        instalment.released_at = at
        postings = instalment_released(household_party(household), instalment.amount_minor)
        entries.append(Entry(f"share:{instalment.share_id}:{instalment.n}", "instalment", on, postings))
    ledger.post_all(session, entries, by=by, currency=policy.current(session, "currency", at=at))
    return len(entries)


def _still_to_release(session: Session, household_id: int) -> int:
    planned = (
        select(func.coalesce(func.sum(Instalment.amount_minor), 0))
        .join(SeasonShare, SeasonShare.id == Instalment.share_id)
        .where(
            SeasonShare.household_id == household_id, SeasonShare.ended_at.is_(None), Instalment.released_at.is_(None)
        )
    )
    return int(session.execute(planned).scalar_one())


def _prepaid(session: Session, party: str) -> int:
    return -ledger.balance_of(session, SHARE_PREPAID, party)


def _prepaid_all(session: Session, household_ids: AbstractSet[int]) -> dict[int, int]:
    kept = ledger.balances_of(session, SHARE_PREPAID, [household_party(one) for one in household_ids])
    return {one: -kept.get(household_party(one), 0) for one in household_ids}

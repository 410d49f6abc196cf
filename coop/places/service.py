"""Take and give up season shares, and wait for one: two households never get the last.

Whatever decides on places locks the row of the share size first, so the count it sees is the count it writes under.
A place that comes free belongs to those who wait, in the order of their names on the list.
"""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.late_shares import Rest
from coop.core.money import format_minor, minor_exponent
from coop.core.season import local_day
from coop.db import Db
from coop.instalments import service as instalments
from coop.people import service as people
from coop.places import queries
from coop.policy import service as policy
from coop.seasons.models import Season, SeasonShare, ShareSize, ShareWait


def take_share(
    db: Db,
    size_id: int,
    *,
    household_id: int,
    by: int,
    at: datetime,
    key: str,
    price_minor: int | None = None,
    shown_minor: int | None = None,
) -> int:
    """Take a season share, if one is free for this household, at its price or one that it chooses; it is paid afterwards.

    Once the season has begun the co-op's setting says what it costs; `shown_minor` is the price that the household looked at.
    Raises `already_member`, `sold_out`, `price_out_of_bounds`, `price_changed`, `season_started` and `season_over`.
    """
    with db.begin() as session:
        chosen = {} if price_minor is None else {"price": price_minor}
        body = {"act": "take_share", "size": size_id, "household": household_id} | chosen
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        people.lock_household(session, household_id)
        size, season = _locked_size(session, size_id)
        today = _still_on(session, season, at)
        _refuse_second(session, size, household_id)
        rest, _ = queries.rest_of(session, season.id, season.starts, season.ends, today=today, at=at)
        _refuse_other_price(session, rest.of(size.price_minor), shown_minor, at=at)
        price_minor = _price(session, size, price_minor, rest, at=at)
        waits = _waits(session, size_id)
        ahead = _ahead(waits, household_id)
        if size.cap is not None and _taken(session, size_id) + ahead >= size.cap:
            raise RuleBroken("sold_out", _sold_out_words(size, kept=_taken(session, size_id) < size.cap))
        share = SeasonShare(size_id=size_id, household_id=household_id, taken_at=at, taken_by=by)
        session.add(share)
        for wait in waits:
            if wait.household_id == household_id:
                wait.ended_at, wait.outcome = at, "took"
        session.flush()
        instalments.plan_instalment(session, share.id, price_minor, due_on=today)
        audit.record(session, "take_share", by=by, subject=("season_share", share.id), detail=body)
        _tell(session, f"share_taken:{share.id}", "share_taken", household_id, size, season, price_minor)
        keys.answer(session, by=by, key=key, row_id=share.id)
        return share.id


def join_waiting_list(db: Db, size_id: int, *, household_id: int, by: int, at: datetime, key: str) -> int:
    """Put a household at the end of the waiting list of a size that is sold out.

    Raises `already_member`, `already_waiting`, `not_sold_out`, `season_started` and `season_over`.
    """
    with db.begin() as session:
        body = {"act": "join_waiting_list", "size": size_id, "household": household_id}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        people.lock_household(session, household_id)
        size, season = _locked_size(session, size_id)
        today = _still_on(session, season, at)
        queries.rest_of(session, season.id, season.starts, season.ends, today=today, at=at)
        _refuse_second(session, size, household_id)
        waits = _waits(session, size_id)
        if any(wait.household_id == household_id for wait in waits):
            raise RuleBroken("already_waiting", "Your name is on the waiting list already.")
        if size.cap is None or _taken(session, size_id) + len(waits) < size.cap:
            raise RuleBroken("not_sold_out", f"There is a {size.name} share left: take it instead of waiting.")
        wait = ShareWait(size_id=size_id, household_id=household_id, since=at)
        session.add(wait)
        session.flush()
        audit.record(session, "join_waiting_list", by=by, subject=("share_wait", wait.id), detail=body)
        keys.answer(session, by=by, key=key, row_id=wait.id)
        return wait.id


def leave_waiting_list(db: Db, size_id: int, *, household_id: int, by: int, at: datetime) -> int:
    """Take a household's name off the list; whoever now has a free place is told."""
    with db.begin() as session:
        size, season = _locked_size(session, size_id)
        wait = next((wait for wait in _waits(session, size_id) if wait.household_id == household_id), None)
        if wait is None:
            raise NotFound("This household is not on the waiting list.")
        wait.ended_at, wait.outcome = at, "left"
        session.flush()
        _tell_who_can_take(session, size, season)
        audit.record(session, "leave_waiting_list", by=by, subject=("share_wait", wait.id))
        return wait.id


def give_up_share(db: Db, share_id: int, *, by: int, at: datetime, household_id: int | None = None) -> int:
    """End a share: its place goes to the first who waits, and money not yet released becomes credit.

    With `household_id` the share must be that household's own.
    """
    with db.begin() as session:
        share = session.get(SeasonShare, share_id)
        if share is None or household_id not in {None, share.household_id}:
            raise NotFound("We could not find this season share.")
        people.lock_household(session, share.household_id)
        size, season = _locked_size(session, share.size_id)
        session.refresh(share)
        if share.ended_at is not None:
            raise RuleBroken("already_ended", "This season share was given up already.")
        share.ended_at = at
        session.flush()
        instalments.give_back_prepaid(session, share, by=by, at=at)
        audit.record(session, "give_up_share", by=by, subject=("season_share", share_id))
        _tell(session, f"share_ended:{share_id}", "share_ended", share.household_id, size, season)
        _tell_who_can_take(session, size, season)
        return share_id


def _locked_size(session: Session, size_id: int) -> tuple[ShareSize, Season]:
    size = session.scalar(select(ShareSize).where(ShareSize.id == size_id).with_for_update())
    if size is None:
        raise NotFound("This season has no such share.")
    return size, session.get_one(Season, size.season_id)


def _still_on(session: Session, season: Season, at: datetime) -> date:
    today = local_day(at, policy.current(session, "zone", at=at))
    if today > season.ends:
        raise RuleBroken("season_over", f"The season ended on {season.ends:%d %B %Y}.")
    return today


def _refuse_second(session: Session, size: ShareSize, household_id: int) -> None:
    held = select(SeasonShare.id).where(
        SeasonShare.size_id == size.id, SeasonShare.household_id == household_id, SeasonShare.ended_at.is_(None)
    )
    if session.scalar(held) is not None:
        raise RuleBroken("already_member", f"Your household already has a {size.name} share for this season.")


def _taken(session: Session, size_id: int) -> int:
    held = select(func.count()).where(SeasonShare.size_id == size_id, SeasonShare.ended_at.is_(None))
    return session.scalar(held) or 0


def _waits(session: Session, size_id: int) -> list[ShareWait]:
    waits = select(ShareWait).where(ShareWait.size_id == size_id, ShareWait.ended_at.is_(None)).order_by(ShareWait.id)
    return list(session.scalars(waits))


def _ahead(waits: list[ShareWait], household_id: int) -> int:
    places = [place for place, wait in enumerate(waits) if wait.household_id == household_id]
    return places[0] if places else len(waits)


def _refuse_other_price(session: Session, now_minor: int, shown_minor: int | None, *, at: datetime) -> None:
    if shown_minor is not None and shown_minor != now_minor:
        currency = policy.current(session, "currency", at=at)
        shown, costs = (format_minor(minor, minor_exponent(currency)) for minor in (shown_minor, now_minor))
        raise RuleBroken("price_changed", f"The page said {shown} {currency}, and the share costs {costs} {currency} by now. Load the page again.")  # fmt: skip


def _price(session: Session, size: ShareSize, chosen: int | None, rest: Rest, *, at: datetime) -> int:
    """Return the price of a share: the size's own, or what the household chose within its bounds, for the rest of the season."""
    if chosen is None:
        return rest.of(size.price_minor)
    least = rest.of(size.price_minor if size.price_min_minor is None else size.price_min_minor)
    most = rest.of(size.price_minor if size.price_max_minor is None else size.price_max_minor)
    if not least <= chosen <= most:
        currency = policy.current(session, "currency", at=at)
        low, high = (format_minor(bound, minor_exponent(currency)) for bound in (least, most))
        raise RuleBroken("price_out_of_bounds", f"Choose a price from {low} to {high} {currency}.", field="price")
    return chosen


def _sold_out_words(size: ShareSize, *, kept: bool) -> str:
    if kept:
        return f"The {size.name} share that is free is kept for a household that waited longer. Put your name on the waiting list and we write to you when it is your turn."
    return f"All {size.cap} {size.name} shares are taken. Put your name on the waiting list and we write to you when one comes free."


def _tell_who_can_take(session: Session, size: ShareSize, season: Season) -> None:
    if size.cap is None:
        return
    free = max(0, size.cap - _taken(session, size.id))
    for wait in _waits(session, size.id)[:free]:
        _tell(session, f"share_free:{wait.id}", "share_free", wait.household_id, size, season)


def _tell(
    session: Session,
    key: str,
    template: str,
    household_id: int,
    size: ShareSize,
    season: Season,
    price_minor: int | None = None,
) -> None:
    values = {
        "size": size.name,
        "season": season.name,
        "price_minor": size.price_minor if price_minor is None else price_minor,
    }
    people.tell_household(session, key, template, household_id, values)

"""Plan seasons, take and give up season shares, and wait for one: two households never get the last.

Whatever decides on places locks the row of the share size first, so the count it sees is the count it writes under.
A place that comes free belongs to those who wait, in the order of their names on the list. What a household pays for its
shares is prepaid (2010) until instalments fall due; it covers them in the order of their days.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import BigInteger, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.claims import STANDING_RULE, Terms, rule_named
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import SHARE_PREPAID, Entry, household_party, instalment_released, season_share_paid
from coop.core.season import local_day
from coop.core.tickets import draw_secret
from coop.db import Db, copy_rows
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.sealing import seal, unseal
from coop.seasons.models import Instalment, Season, SeasonRule, SeasonShare, ShareSize, ShareWait

_SECRET = "season.secret"  # noqa: S105 - the purpose of a sealed value, not a secret


def plan_season(
    session: Session,
    name: str,
    *,
    starts: date,
    ends: date,
    rule: str = "cea/standing@1",
    memory: str = "rounding",
    credit_cap: int | None = None,
    guest_weight: int = 1,
    secret: bytes,
    field_key: bytes,
    files_digest: str | None = None,
    guests_may_order: bool = True,
    by: int = 0,
) -> int:
    """Plan a season; the hash of what its draws come from is public from now on, and that itself at its end."""
    if starts >= ends:
        raise RuleBroken("ends_before_start", "A season ends after it starts.", field="ends")
    if session.scalar(select(Season.id).where(Season.name == name)) is not None:
        raise RuleBroken("name_taken", f"There is already a season called {name}.", field="name")
    season = Season(
        name=name,
        starts=starts,
        ends=ends,
        rule=rule,
        memory=memory,
        credit_cap=credit_cap,
        guests_may_order=guests_may_order,
        guest_weight=guest_weight,
        secret_sealed=seal(secret, field_key, purpose=_SECRET),
        secret_hash=hashlib.sha256(draw_secret(secret)).hexdigest(),
        files_digest=files_digest,
    )
    session.add(season)
    session.flush()
    agree_rule(session, season, rule, memory, credit_cap, by=by)
    return season.id


def agree_rule(session: Session, season: Season, rule: str, memory: str, credit_cap: int | None, *, by: int) -> None:
    """Let a season share out by a rule from now on, as a new version. The caller holds the season and knows that it may.

    Only the rule with a standing has a memory; for any other `memory` and cap are left aside. Raises `unknown_rule`,
    `unknown_memory` and `credit_cap_not_allowed`.
    """
    chosen = rule_named(rule)
    kept, cap = (memory, credit_cap) if chosen == STANDING_RULE else ("none", None)
    Terms(None if kept == "none" else kept, cap)
    last = session.scalar(select(func.max(SeasonRule.version)).where(SeasonRule.season_id == season.id)) or 0
    season.rule, season.memory, season.credit_cap = chosen, kept, cap
    version = {"version": last + 1, "rule": chosen, "memory": kept, "credit_cap": cap}
    session.add(SeasonRule(season_id=season.id, chosen_by=by, **version))
    session.flush()


def add_size(
    session: Session,
    season_id: int,
    name: str,
    *,
    weight: int,
    price_minor: int,
    cap: int | None = None,
    line: str = "",
) -> int:
    """Offer a size of share in a season; without a cap there are as many as are wanted."""
    if session.scalar(select(ShareSize.id).where(ShareSize.season_id == season_id, ShareSize.name == name)) is not None:
        raise RuleBroken("name_taken", f"This season already has a {name} share.", field="name")
    size = ShareSize(season_id=season_id, name=name, weight=weight, price_minor=price_minor, cap=cap, line=line)
    session.add(size)
    session.flush()
    return size.id


def announce_season(
    db: Db,
    *,
    name: str,
    starts: date,
    ends: date,
    rule: str,
    memory: str,
    credit_cap: int | None,
    guests_may_order: bool,
    guest_weight: int,
    secret: bytes,
    field_key: bytes,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Plan a season under a rule that members can read before they take a share."""
    with db.begin() as session:
        body = {"act": "announce_season", "name": name, "starts": starts, "ends": ends, "guests": guests_may_order} | {
            "guest_weight": guest_weight,
            "rule": (rule, memory, credit_cap),
        }
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        if ends < local_day(at, policy.current(session, "zone", at=at)):
            raise RuleBroken("in_the_past", "Plan a season that has not ended yet.", field="ends")
        season_id = plan_season(
            session,
            name,
            starts=starts,
            ends=ends,
            rule=rule,
            memory=memory,
            credit_cap=credit_cap,
            by=by,
            guest_weight=guest_weight,
            guests_may_order=guests_may_order,
            secret=secret,
            field_key=field_key,
        )
        audit.record(session, "announce_season", by=by, subject=("season", season_id), detail={"name": name})
        keys.answer(session, by=by, key=key, row_id=season_id)
        return season_id


def offer_size(
    db: Db, season_id: int, name: str, *, weight: int, price_minor: int, cap: int | None, line: str, by: int, key: str
) -> int:
    """Offer a size of share in a season that is planned."""
    with db.begin() as session:
        body = {"act": "offer_size", "season": season_id, "name": name, "weight": weight, "price": price_minor}
        if (earlier := keys.spend(session, by=by, key=key, body=body | {"cap": cap})) is not None:
            return earlier
        if session.get(Season, season_id) is None:
            raise NotFound
        size_id = add_size(session, season_id, name, weight=weight, price_minor=price_minor, cap=cap, line=line)
        audit.record(session, "offer_size", by=by, subject=("share_size", size_id), detail=body | {"cap": cap})
        keys.answer(session, by=by, key=key, row_id=size_id)
        return size_id


def season_secret(session: Session, season_id: int, field_key: bytes) -> bytes:
    """Open the secret that the season's draws come from."""
    season = session.get(Season, season_id)
    if season is None:
        raise NotFound
    return unseal(season.secret_sealed, field_key, purpose=_SECRET)


def weights(session: Session, season_id: int, *, at: datetime, of: Sequence[int] | None = None) -> dict[int, int]:
    """Return the weight of the households, all or some, that hold a share at an instant; the others are guests."""
    held = (
        select(SeasonShare.household_id, func.sum(ShareSize.weight))
        .join(ShareSize, ShareSize.id == SeasonShare.size_id)
        .where(
            ShareSize.season_id == season_id,
            SeasonShare.taken_at <= at,
            SeasonShare.ended_at.is_(None) | (SeasonShare.ended_at > at),
        )
        .group_by(SeasonShare.household_id)
    )
    if of is not None:
        held = held.where(SeasonShare.household_id == any_(literal(list(of), ARRAY(BigInteger))))
    return {household_id: int(weight) for household_id, weight in session.execute(held)}


def may_order(session: Session, season_id: int, household_id: int, *, at: datetime) -> bool:
    """Say whether a household may order in a season: it holds a share at that instant, or guests are welcome."""
    season = session.get_one(Season, season_id)
    return season.guests_may_order or bool(weights(session, season_id, at=at, of=[household_id]))


def take_share(db: Db, size_id: int, *, household_id: int, by: int, at: datetime, key: str) -> int:
    """Take a season share, if one is free for this household; it is paid afterwards.

    Raises `already_member`, `sold_out` and `season_over`.
    """
    with db.begin() as session:
        body = {"act": "take_share", "size": size_id, "household": household_id}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        people.lock_household(session, household_id)
        size, season = _locked_size(session, size_id)
        today = _still_on(session, season, at)
        _refuse_second(session, size, household_id)
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
        if size.price_minor:
            session.add(Instalment(share_id=share.id, n=1, due_on=today, amount_minor=size.price_minor))
        audit.record(session, "take_share", by=by, subject=("season_share", share.id), detail=body)
        _tell(session, f"share_taken:{share.id}", "share_taken", household_id, size, season)
        keys.answer(session, by=by, key=key, row_id=share.id)
        return share.id


def join_waiting_list(db: Db, size_id: int, *, household_id: int, by: int, at: datetime, key: str) -> int:
    """Put a household at the end of the waiting list of a size that is sold out.

    Raises `already_member`, `already_waiting`, `not_sold_out` and `season_over`.
    """
    with db.begin() as session:
        body = {"act": "join_waiting_list", "size": size_id, "household": household_id}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        people.lock_household(session, household_id)
        size, season = _locked_size(session, size_id)
        _still_on(session, season, at)
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
        _give_back_prepaid(session, share, by=by, at=at)
        audit.record(session, "give_up_share", by=by, subject=("season_share", share_id))
        _tell(session, f"share_ended:{share_id}", "share_ended", share.household_id, size, season)
        _tell_who_can_take(session, size, season)
        return share_id


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
    _release_covered(session, through=today, on=max(on, today), by=by, at=at, household_id=household_id)
    return entry_id


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


def _release_covered(
    session: Session, *, through: date, on: date, by: int, at: datetime, household_id: int | None = None
) -> int:
    due = (
        select(Instalment, SeasonShare.household_id)
        .join(SeasonShare, SeasonShare.id == Instalment.share_id)
        .where(Instalment.released_at.is_(None), Instalment.due_on <= through, SeasonShare.ended_at.is_(None))
        .order_by(SeasonShare.household_id, Instalment.due_on, Instalment.id)
        .with_for_update(of=Instalment)
    )
    if household_id is not None:
        due = due.where(SeasonShare.household_id == household_id)
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


def _give_back_prepaid(session: Session, share: SeasonShare, *, by: int, at: datetime) -> None:
    """Turn into credit what is prepaid beyond the household's other shares."""
    party = household_party(share.household_id)
    left = _prepaid(session, party) - _still_to_release(session, share.household_id)
    if left > 0:
        policies = policy.all_current(session, at=at)
        entry = Entry(f"share:{share.id}:ended", "instalment", local_day(at, policies["zone"]), instalment_released(party, left))  # fmt: skip
        ledger.post(session, entry, by=by, currency=policies["currency"])


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


def _prepaid_all(session: Session, household_ids: set[int]) -> dict[int, int]:
    return {household_id: _prepaid(session, household_party(household_id)) for household_id in household_ids}


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


def _tell(session: Session, key: str, template: str, household_id: int, size: ShareSize, season: Season) -> None:
    values = {"size": size.name, "season": season.name, "price_minor": size.price_minor}
    people.tell_household(session, key, template, household_id, values)


def bring_in_shares(session: Session, season_id: int, held: Mapping[int, int], *, at: datetime, by: int) -> None:
    """Give each household of `held` a share of its weight, free of charge: a size for each weight there is."""
    sizes = {
        weight: add_size(session, season_id, f"weight {weight}", weight=weight, price_minor=0)
        for weight in sorted(set(held.values()))
    }
    rows = ((sizes[weight], household_id, at, by) for household_id, weight in held.items())
    copy_rows(session, "season_share", ("size_id", "household_id", "taken_at", "taken_by"), rows)

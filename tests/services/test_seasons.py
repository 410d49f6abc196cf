"""Season shares: two households never get the last one, places go to those who wait, and money becomes credit once."""

import threading
from datetime import date, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import func, select

from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import BANK, MEMBER_CREDIT, SHARE_PREPAID, household_party
from coop.instalments import service as instalments
from coop.ledger.models import Account, Posting
from coop.notices.models import Notice
from coop.places import service as places
from coop.seasons import service as seasons
from coop.seasons.models import Instalment, Season, SeasonShare, ShareSize, ShareWait
from tests.builders import FIELD_KEY, NOW, SEASON_SECRET, a_household, a_season, a_size
from tests.refusals import refused_code as refused


def take(db, size, household, *, key=None, at=NOW):
    return places.take_share(db, size, household_id=household, by=household, at=at, key=key or f"take {household}")


def wait(db, size, household, *, key=None):
    return places.join_waiting_list(db, size, household_id=household, by=household, at=NOW, key=key or f"w {household}")


@pytest.fixture
def town(db):
    """A season with two full shares, and Ana, Ben, Cleo and Dan."""
    with db.begin() as session:
        size = a_size(session, a_season(session), cap=2)
        return size, *(a_household(session, name) for name in ("Ana", "Ben", "Cleo", "Dan"))


def test_the_last_share_is_taken_once_and_the_next_is_offered_the_list(db, town):
    size, ana, ben, cleo, _ = town
    take(db, size, ana)
    take(db, size, ben)
    assert refused(take, db, size, cleo) == "sold_out"
    with db() as session:
        assert session.scalars(select(SeasonShare.household_id).order_by(SeasonShare.id)).all() == [ana, ben]


def test_twenty_households_at_once_take_the_last_three(fresh_db):
    with fresh_db.begin() as session:
        size = a_size(session, a_season(session), cap=3)
        households = [a_household(session, f"Household {n}") for n in range(20)]
    answers, start = [], threading.Barrier(len(households))

    def run(household):
        start.wait()
        try:
            answers.append(take(fresh_db, size, household) and "taken")
        except RuleBroken as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=run, args=(household,)) for household in households]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["sold_out"] * 17 + ["taken"] * 3
    with fresh_db() as session:
        assert session.scalar(select(func.count()).select_from(SeasonShare)) == 3


def test_one_form_sent_eight_times_at_once_is_one_share(fresh_db):
    with fresh_db.begin() as session:
        size, ana = a_size(session, a_season(session), cap=5), a_household(session)
    answers, start = [], threading.Barrier(8)

    def run():
        start.wait()
        answers.append(take(fresh_db, size, ana, key="one form"))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_a_second_share_of_the_same_size_is_refused_and_another_size_is_not(db, town):
    size, ana, *_ = town
    take(db, size, ana)
    assert refused(take, db, size, ana, key="again") == "already_member"
    with db.begin() as session:
        half = a_size(session, _season_of(session, size), "half", weight=1)
    take(db, half, ana, key="half")
    with db() as session:
        assert seasons.weights(session, _season_of(session, size), at=NOW, of=[ana]) == {ana: 3}


def _season_of(session, size):
    return session.get_one(ShareSize, size).season_id


def test_who_gives_up_frees_a_place_for_the_first_who_waits_and_for_nobody_else(db, town):
    size, ana, ben, cleo, dan = town
    share = take(db, size, ana)
    take(db, size, ben)
    wait(db, size, cleo)
    places.give_up_share(db, share, household_id=ana, by=ana, at=NOW)
    assert refused(take, db, size, dan) == "sold_out"
    take(db, size, cleo)
    with db() as session:
        told = session.execute(select(Notice.template, Notice.values["size"].astext).order_by(Notice.id)).all()
        assert [template for template, _ in told] == [
            "share_taken",  # Ana
            "share_taken",  # Ben
            "share_ended",  # Ana
            "share_free",  # Cleo
            "share_taken",  # Cleo
        ]
        assert session.execute(select(ShareWait.household_id, ShareWait.outcome)).all() == [(cleo, "took")]


def test_when_the_first_leaves_the_list_the_next_is_told(db, town):
    size, ana, ben, cleo, dan = town
    share = take(db, size, ana)
    take(db, size, ben)
    wait(db, size, cleo)
    wait(db, size, dan)
    places.give_up_share(db, share, by=0, at=NOW)
    places.leave_waiting_list(db, size, household_id=cleo, by=cleo, at=NOW)
    take(db, size, dan)
    with db() as session:
        free = session.scalars(select(Notice.address).where(Notice.template == "share_free").order_by(Notice.id)).all()
        assert [address.split(".")[0] for address in free] == ["cleo", "dan"]


def test_the_waiting_list_is_for_those_who_cannot_take_one(db, town):
    size, ana, ben, cleo, dan = town
    assert refused(wait, db, size, cleo) == "not_sold_out"
    take(db, size, ana)
    take(db, size, ben)
    assert refused(wait, db, size, ana) == "already_member"
    wait(db, size, cleo)
    assert refused(wait, db, size, cleo, key="again") == "already_waiting"
    with pytest.raises(NotFound):
        places.leave_waiting_list(db, size, household_id=dan, by=dan, at=NOW)


@pytest.mark.parametrize(("day", "code"), [(date(2026, 12, 31), None), (date(2027, 1, 1), "season_over")])
def test_a_share_can_be_taken_until_the_last_day_of_the_season(db, town, day, code):
    size, ana, *_ = town
    at = NOW.replace(year=day.year, month=day.month, day=day.day)
    if code:
        assert refused(take, db, size, ana, at=at) == code
    else:
        take(db, size, ana, at=at)


def test_a_share_is_given_up_by_its_own_household_once(db, town):
    size, ana, ben, *_ = town
    share = take(db, size, ana)
    with pytest.raises(NotFound):
        places.give_up_share(db, share, household_id=ben, by=ben, at=NOW)
    places.give_up_share(db, share, household_id=ana, by=ana, at=NOW)
    assert refused(places.give_up_share, db, share, household_id=ana, by=ana, at=NOW) == "already_ended"


def test_weights_are_those_held_at_the_instant(db, town):
    size, ana, ben, *_ = town
    share = take(db, size, ana)
    take(db, size, ben, at=NOW + timedelta(hours=1))
    places.give_up_share(db, share, by=0, at=NOW + timedelta(hours=2))
    with db() as session:
        season = _season_of(session, size)
        at = [
            seasons.weights(session, season, at=NOW + timedelta(minutes=m), of=[ana, ben])
            for m in (-1, 0, 60, 119, 120)
        ]
        assert at == [{}, {ana: 2}, {ana: 2, ben: 2}, {ana: 2, ben: 2}, {ben: 2}]
        assert seasons.may_order(session, season, ana, at=NOW)


def pay(db, share, household, minor, *, key):
    with db.begin() as session:
        return instalments.share_paid(
            session, share, minor, household_id=household, on=NOW.date(), key=key, by=1, at=NOW
        )


def books(db, household):
    """Bank, prepaid and credit as the postings say."""
    with db() as session:
        rows = session.execute(
            select(Account.code, Account.party, func.sum(Posting.amount))
            .join(Posting, Posting.account_id == Account.id)
            .group_by(Account.code, Account.party)
        )
        sums = {(code, party): int(amount) for code, party, amount in rows}
    party = household_party(household)
    return sums.get((BANK, ""), 0), -sums.get((SHARE_PREPAID, party), 0), -sums.get((MEMBER_CREDIT, party), 0)


def test_a_paid_share_becomes_credit_to_order_with(db, town):
    size, ana, *_ = town
    share = take(db, size, ana)
    pay(db, share, ana, 30_000, key="bank:hand:1")
    assert books(db, ana) == (30_000, 0, 30_000)
    assert instalments.release_instalments(db, through=NOW.date(), by=0, at=NOW) == 0
    assert books(db, ana) == (30_000, 0, 30_000)


def test_a_share_paid_in_parts_is_released_with_the_last_part(db, town):
    size, ana, *_ = town
    share = take(db, size, ana)
    pay(db, share, ana, 29_999, key="bank:hand:1")
    assert books(db, ana) == (29_999, 29_999, 0)
    assert refused(pay, db, share, ana, 2, key="bank:hand:2") == "more_than_owed"
    pay(db, share, ana, 1, key="bank:hand:2")
    assert books(db, ana) == (30_000, 0, 30_000)


def test_instalments_are_released_on_their_day_and_once(db, town):
    size, ana, *_ = town
    share = take(db, size, ana)
    with db.begin() as session:
        first = session.scalars(select(Instalment)).one()
        first.amount_minor = 10_000
        session.add(Instalment(share_id=share, n=2, due_on=date(2026, 12, 1), amount_minor=20_000))
    pay(db, share, ana, 30_000, key="bank:hand:1")
    assert books(db, ana) == (30_000, 20_000, 10_000)
    december = NOW + timedelta(days=7)
    assert refused(instalments.release_instalments, db, through=date(2026, 12, 1), by=0, at=NOW) == "future_date"
    assert instalments.release_instalments(db, through=date(2026, 11, 30), by=0, at=december) == 0
    assert instalments.release_instalments(db, through=date(2026, 12, 1), by=0, at=december) == 1
    assert instalments.release_instalments(db, through=date(2026, 12, 1), by=0, at=december) == 0
    assert books(db, ana) == (30_000, 0, 30_000)


def test_what_was_prepaid_for_a_share_given_up_is_credit(db, town):
    size, ana, *_ = town
    share = take(db, size, ana)
    pay(db, share, ana, 12_000, key="bank:hand:1")
    places.give_up_share(db, share, household_id=ana, by=ana, at=NOW)
    assert books(db, ana) == (12_000, 0, 12_000)
    assert refused(pay, db, share, ana, 1, key="bank:hand:2") == "share_ended"


def test_a_payment_names_the_household_that_holds_the_share(db, town):
    size, ana, ben, *_ = town
    share = take(db, size, ana)
    with pytest.raises(NotFound):
        pay(db, share, ben, 30_000, key="bank:hand:1")


def test_the_secret_of_a_season_is_sealed_and_its_hash_is_public(db):
    with db.begin() as session:
        season = a_season(session)
        row = session.get_one(Season, season)
        assert row.secret_hash == sha256(sha256(b"alloc-draw/1\0" + SEASON_SECRET).digest()).hexdigest()
        assert SEASON_SECRET not in row.secret_sealed
        assert seasons.season_secret(session, season, FIELD_KEY) == SEASON_SECRET


def test_a_season_ends_after_it_starts_and_has_a_name_of_its_own(db):
    with db.begin() as session:
        a_season(session)
    for more, code in (({}, "name_taken"), ({"name": "Winter", "ends": date(2026, 9, 1)}, "ends_before_start")):
        with db() as session:
            assert refused(a_season, session, **more) == code

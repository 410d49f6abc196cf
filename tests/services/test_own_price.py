"""A household chooses its price within bounds, and pays a share monthly; reminders are sent once each, until it is paid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from coop.core.errors import NotFound
from coop.core.ledger import MEMBER_CREDIT, SHARE_PREPAID
from coop.incoming import service as incoming
from coop.instalments import service as instalments
from coop.monthly import service as monthly
from coop.places import service as places
from coop.seasons import service as seasons
from coop.seasons.models import Instalment
from tests.builders import NOW, TODAY, a_household, a_season
from tests.rounds import balances
from tests.services.test_bank import refusal

DUE = date(2026, 12, 1)


@pytest.fixture
def ana(db) -> int:
    with db.begin() as session:
        return a_household(session, "Ana")


@pytest.fixture
def size(db) -> int:
    with db.begin() as session:
        bounds = {"price_min_minor": 20_000, "price_max_minor": 45_000}
        season = a_season(session, ends=date(2027, 6, 30))
        return seasons.add_size(session, season, "full", weight=2, price_minor=30_000, **bounds)


def take(db, size, ana, price_minor=None, key="s") -> int:
    return places.take_share(db, size, household_id=ana, by=1, at=NOW, key=key, price_minor=price_minor)


def planned(db) -> list[tuple[date, int]]:
    with db() as session:
        rows = session.scalars(select(Instalment).where(Instalment.released_at.is_(None)).order_by(Instalment.due_on))
        return [(row.due_on, row.amount_minor) for row in rows]


@pytest.mark.parametrize("price", [20_000, 30_000, 45_000])
def test_a_household_owes_the_price_that_it_chose(db, size, ana, price):
    take(db, size, ana, price)
    assert planned(db) == [(TODAY, price)]


def test_without_a_choice_it_is_the_price_of_the_size(db, size, ana):
    take(db, size, ana)
    assert planned(db) == [(TODAY, 30_000)]


@pytest.mark.parametrize("price", [0, 19_999, 45_001])
def test_a_price_beyond_the_bounds_is_refused_and_nothing_taken(db, size, ana, price):
    assert refusal(take, db, size, ana, price) == "price_out_of_bounds"
    assert planned(db) == []


def test_a_size_without_bounds_has_one_price(db, ana):
    with db.begin() as session:
        fixed = seasons.add_size(session, a_season(session), "half", weight=1, price_minor=15_000)
    assert refusal(take, db, fixed, ana, 15_001) == "price_out_of_bounds"
    take(db, fixed, ana, 15_000)


@pytest.mark.parametrize("bounds", [{"price_min_minor": 30_001}, {"price_min_minor": -1}, {"price_max_minor": 29_999}])
def test_bounds_stand_around_the_price(db, bounds):
    with db.begin() as session:
        season = a_season(session)
        assert (
            refusal(seasons.add_size, session, season, "full", weight=2, price_minor=30_000, **bounds) == "price_bounds"
        )


# -- monthly --


def plan(db, share, ana, *, months=3, first=DUE, key="m", at=NOW) -> int:
    said = {"months": months, "first_due_on": first, "by": 1, "at": at, "key": key}
    return monthly.pay_monthly(db, share, household_id=ana, **said)


def test_what_a_share_costs_is_divided_over_months_to_the_cent(db, size, ana):
    share = take(db, size, ana, 20_000)
    plan(db, share, ana, first=date(2027, 1, 31))
    plan(db, share, ana, first=date(2027, 1, 31))  # sent twice
    assert planned(db) == [(date(2027, 1, 31), 6667), (date(2027, 2, 28), 6667), (date(2027, 3, 31), 6666)]


def test_another_plan_takes_the_place_of_the_first_and_keeps_what_was_released(db, size, ana):
    share = take(db, size, ana, 30_000)
    plan(db, share, ana, first=TODAY)
    pay(db, ana, share, 10_000, "P1")
    assert sum(balances(db, MEMBER_CREDIT).values()) == 10_000
    plan(db, share, ana, months=2, key="m2")
    assert planned(db) == [(DUE, 10_000), (date(2027, 1, 1), 10_000)]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"months": 1}, "bad_months"),
        ({"months": 25}, "bad_months"),
        ({"months": 9}, "too_many_months"),
        ({"first": TODAY - timedelta(days=1)}, "past_date"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_changes_nothing(db, size, ana, said, code):
    share = take(db, size, ana)
    assert refusal(plan, db, share, ana, **said) == code
    assert planned(db) == [(TODAY, 30_000)]


def test_nobody_plans_anothers_share(db, size, ana):
    share = take(db, size, ana)
    with db.begin() as session:
        ben = a_household(session, "Ben")
    with pytest.raises(NotFound):
        plan(db, share, ben)


# -- reminders --


def pay(db, ana, share, minor, reference) -> None:
    told = {"amount_minor": minor, "received_on": TODAY, "reference": reference, "by": 1, "at": NOW, "key": reference}
    incoming.record_payment(db, ana, share_id=share, **told)


def letters(db, day: date) -> list[str]:
    """Remind twice on a day, as the timetable may; return the letters written since the last time."""
    with db() as session:
        before = session.scalar(text("SELECT coalesce(max(id), 0) FROM notice"))
    for hour in (1, 9):
        monthly.remind(db, at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
    with db() as session:
        return list(session.scalars(text("SELECT template FROM notice WHERE id > :id ORDER BY id"), {"id": before}))


@pytest.fixture
def share(db, size, ana) -> int:
    share = take(db, size, ana, 30_000)
    plan(db, share, ana)
    return share


def test_reminders_come_three_days_before_and_one_and_two_weeks_after_once_each(db, share):
    told = {DUE + timedelta(days=n): letters(db, DUE + timedelta(days=n)) for n in range(-6, 24)}
    assert {day: words for day, words in told.items() if words} == {
        DUE - timedelta(days=3): ["instalment_soon"],
        DUE + timedelta(days=7): ["instalment_late"],
        DUE + timedelta(days=14): ["instalment_late"],
    }


def test_a_day_that_was_missed_is_made_up_for(db, share):
    assert letters(db, DUE - timedelta(days=1)) == ["instalment_soon"]
    assert letters(db, DUE + timedelta(days=9)) == ["instalment_late"]


def test_what_is_paid_is_not_reminded_of(db, ana, share):
    pay(db, ana, share, 10_000, "P1")
    assert [letters(db, DUE + timedelta(days=n)) for n in (-3, 7, 14)] == [[], [], []]
    assert letters(db, date(2026, 12, 29)) == ["instalment_soon"]  # the next one


def test_a_part_that_is_missing_is_what_the_letter_asks_for(db, ana, share):
    pay(db, ana, share, 4000, "P1")
    letters(db, DUE - timedelta(days=3))
    with db() as session:
        values = session.scalar(text("SELECT values FROM notice ORDER BY id DESC LIMIT 1"))
    assert values["amount_minor"] == 6000


def test_who_gave_the_share_up_or_pays_at_once_is_not_reminded(db, size, ana, share):
    places.give_up_share(db, share, by=1, at=NOW)
    take(db, size, ana, key="again")
    assert letters(db, DUE + timedelta(days=7)) == []


def test_instalments_become_credit_on_their_day_once_paid(db, ana, share):
    pay(db, ana, share, 30_000, "P1")
    assert sum(balances(db, SHARE_PREPAID).values()) == 30_000
    instalments.release_instalments(db, by=0, at=datetime(2026, 12, 2, tzinfo=UTC))
    assert sum(balances(db, MEMBER_CREDIT).values()) == 10_000

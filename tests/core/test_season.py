"""Cut-offs are local dates and times, also when the clocks change; a pool's week and the books' months have fixed dates."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coop.core.errors import RuleBroken
from coop.core.season import instant, is_open, local_day, month_of, next_monthly, pool_week, zone_named

LONDON = "Europe/London"
NINETIES, CENTURY_END = (
    datetime.fromisoformat("1990-01-01"),
    datetime.fromisoformat("2100-01-01"),
)  # what a wall clock shows has no zone


def test_a_local_time_is_an_instant_of_its_season():
    assert instant(date(2010, 12, 5), time(23, 59, 59), LONDON) == datetime(2010, 12, 5, 23, 59, 59, tzinfo=UTC)
    assert instant(date(2011, 6, 5), time(23, 59, 59), LONDON) == datetime(2011, 6, 5, 22, 59, 59, tzinfo=UTC)
    assert instant(date(2011, 6, 5), time(12), LONDON).tzinfo is UTC


def test_a_time_that_happens_twice_is_its_later_one():
    assert instant(date(2011, 10, 30), time(1, 30), LONDON) == datetime(2011, 10, 30, 1, 30, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_as_long_after_the_change():
    assert instant(date(2011, 3, 27), time(1, 30), LONDON) == datetime(2011, 3, 27, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(min_value=NINETIES, max_value=CENTURY_END),
    st.sampled_from([LONDON, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_the_wall_clock_shows_the_time_asked_for_or_the_time_was_skipped(wall, zone):
    at = instant(wall.date(), wall.time(), zone)
    shown = at.astimezone(zone_named(zone)).replace(tzinfo=None, fold=0)
    assert shown == wall or timedelta(0) < shown - wall <= timedelta(hours=1)


def test_an_unknown_zone_is_refused():
    for name in ("Mars/Olympus", "", "../etc/passwd", "Europe/London\0"):
        with pytest.raises(RuleBroken, match="bad_timezone"):
            zone_named(name)


def test_a_pool_closes_on_sunday_and_is_picked_up_the_wednesday_after():
    week = pool_week("2010-W48", LONDON)
    assert (week.monday, week.sunday, week.pickup) == (date(2010, 11, 29), date(2010, 12, 5), date(2010, 12, 8))
    assert week.opens == datetime(2010, 11, 29, tzinfo=UTC)
    assert week.closes == datetime(2010, 12, 5, 23, 59, 59, tzinfo=UTC)
    assert pool_week("2011-W12", LONDON).closes == datetime(2011, 3, 27, 22, 59, 59, tzinfo=UTC)
    assert pool_week("2020-W53", LONDON).pickup == date(2021, 1, 6)


@pytest.mark.parametrize(
    "cycle", ["2011-W53", "2010-W00", "2010-48", "2010-W4", "٢٠١٠-W48", "0001-W01", "9999-W52", "2010-W48 ", ""]
)
def test_what_is_no_week_is_refused(cycle):
    with pytest.raises(RuleBroken, match="bad_cycle"):
        pool_week(cycle, LONDON)


def test_the_opening_and_the_closing_second_are_in_time():
    opens, closes = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert is_open(opens, closes, opens)
    assert is_open(opens, closes, closes)
    assert not is_open(opens, closes, opens - timedelta(microseconds=1))
    assert not is_open(opens, closes, closes + timedelta(microseconds=1))


def test_a_day_belongs_to_its_zone_and_its_month():
    assert local_day(datetime(2011, 6, 30, 23, 30, tzinfo=UTC), LONDON) == date(2011, 7, 1)
    assert month_of(date(2024, 2, 10)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert month_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("day_of_month", "after", "then"),
    [
        (5, date(2026, 11, 4), date(2026, 11, 5)),
        (5, date(2026, 11, 5), date(2026, 12, 5)),
        (5, date(2026, 12, 31), date(2027, 1, 5)),
        (31, date(2027, 1, 31), date(2027, 2, 28)),
        (31, date(2027, 2, 28), date(2027, 3, 31)),
        (1, date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_a_monthly_day_comes_after_today_and_never_skips_a_month(day_of_month, after, then):
    assert next_monthly(day_of_month, after) == then

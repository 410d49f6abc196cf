"""Where a pool stands follows from what has happened to it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coop.core.pool_state import Step, pool_state, steps_of

CUT_OFF = datetime(2026, 11, 26, 20, tzinfo=UTC)
BEFORE, AFTER = CUT_OFF - timedelta(hours=1), CUT_OFF + timedelta(hours=1)
PICKUP = date(2026, 12, 2)


@pytest.mark.parametrize(
    ("opened", "closed", "run", "at", "expected"),
    [
        (None, None, None, BEFORE, "planned"),
        (BEFORE, None, None, BEFORE, "open"),
        (BEFORE, None, None, CUT_OFF, "open"),  # the cut-off itself is still in time
        (BEFORE, None, None, AFTER, "closed"),  # past it nobody orders, whether or not somebody closed it
        (BEFORE, BEFORE, None, BEFORE, "closed"),
        (BEFORE, CUT_OFF, "requested", AFTER, "closed"),
        (BEFORE, CUT_OFF, "proposed", AFTER, "allocated"),
        (BEFORE, CUT_OFF, "publishing", AFTER, "allocated"),
        (BEFORE, CUT_OFF, "published", AFTER, "published"),
    ],
)
def test_each_thing_that_happens_moves_a_pool_on(opened, closed, run, at, expected):
    assert pool_state(opened, closed, run, closes_at=CUT_OFF, at=at) == expected


@pytest.mark.parametrize(
    ("begun", "today", "expected"),
    [
        (False, date(2026, 12, 3), "published"),
        (True, PICKUP, "published"),
        (True, date(2026, 12, 3), "picked_up"),
    ],
)
def test_a_pool_is_picked_up_once_its_day_is_over_and_somebody_came(begun, today, expected):
    state = pool_state(
        BEFORE,
        CUT_OFF,
        "published",
        closes_at=CUT_OFF,
        at=AFTER,
        hand_over_begun=begun,
        pickup_on=PICKUP,
        today=today,
    )
    assert state == expected


def test_the_steps_wait_for_the_yields_and_then_for_somebody_to_look():
    waiting = steps_of("closed", None, is_closed=True, yields_in=8, batches=9)
    assert waiting == [
        Step("orders closed", "done"),
        Step("yields in 8/9", "now"),
        Step("review", "ahead"),
        Step("publish", "ahead"),
        Step("packed", "ahead"),
    ]
    ready = steps_of("closed", None, is_closed=True, yields_in=9, batches=9)
    assert [step.state for step in ready] == ["done", "done", "now", "ahead", "ahead"]
    over = steps_of("picked_up", "published", is_closed=True, yields_in=9, batches=9)
    assert {step.state for step in over} == {"done"}

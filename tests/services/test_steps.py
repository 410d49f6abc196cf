"""Each step of a run or a pool, asked for in each state there is: done where it belongs, refused everywhere else."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from coop.allocation import service as allocation
from coop.core.errors import RuleBroken
from coop.payouts import service as payouts
from coop.pools import service as pools
from coop.publishing import service as publishing
from coop.sending import service as sending
from coop.transfers import service as transfers
from tests.builders import FIELD_KEY, NOW, a_household, a_pool, a_season, an_offering
from tests.rounds import PICKUP, compute_payouts, fetch, order, propose
from tests.services.test_payouts import Coop, sent

BEFORE = ("requested", "computed", "approved", "failed", "cancelled")
AFTER = ("file_made", "submitting", "uncertain", "submitted", "settled", "partly_returned", "closed")
"""States of a payout run before its bank file is made, and after."""

SENT_BY = {"by": 77, "at": PICKUP}
PAYOUT_STEPS = {
    "approve": (lambda db, run: transfers.approve(db, run, **SENT_BY), {"computed": "approved"}),
    "make_file": (
        lambda db, run: transfers.make_file(db, run, field_key=FIELD_KEY, **SENT_BY),
        {"approved": "file_made"} | {state: state for state in AFTER},  # made once: asked again it is the same
    ),
    "hand in": (
        lambda db, run: sending.begin(db, run, by_folder=False, **SENT_BY),
        {"file_made": "submitting", "submitting": "submitting"},
    ),
    "the bank took it": (
        lambda db, run: sending.note_answer(db, run, "accepted", reason="asked there", **SENT_BY),
        {"submitting": "submitted", "uncertain": "submitted"},
    ),
    "the bank did not take it": (
        lambda db, run: sending.note_answer(db, run, "not_accepted", reason="asked there", **SENT_BY),
        {"submitting": "file_made", "uncertain": "file_made"},
    ),
    "close": (
        lambda db, run: sending.close(db, run, **SENT_BY),
        {"settled": "closed", "partly_returned": "closed", "closed": "closed"},
    ),
    "call off": (
        lambda db, run: payouts.cancel(db, run, by=77, reason="a mistake"),
        dict.fromkeys(BEFORE, "cancelled"),
    ),
    "try again": (
        lambda db, run: payouts.try_again(db, run, **SENT_BY),
        {"failed": "requested", "requested": "requested"},
    ),
}


def state_after(db, table: str, row: int, act) -> tuple[bool, str]:
    """Do it; return whether it was refused, and the state of the row afterwards."""
    try:
        act(db, row)
        refused = False
    except RuleBroken:
        refused = True
    with db() as session:
        return refused, session.execute(text(f"SELECT state FROM {table} WHERE id = :id"), {"id": row}).scalar_one()


@pytest.mark.parametrize("step", PAYOUT_STEPS)
@pytest.mark.parametrize("states", [BEFORE, AFTER], ids=["before the file", "after the file"])
def test_no_step_of_a_payout_is_skipped_or_repeated(db, step, states):
    act, allowed = PAYOUT_STEPS[step]
    coop = Coop(db)
    fetch(db, coop.anas_mugs, 3)
    run = compute_payouts(db, by=coop.jun) if states is BEFORE else sent(db, coop)
    for state in states:
        put_into(db, run, state, approver=coop.petra)
        if step == "make_file" and state == "approved":
            continue  # the file cannot be unmade for the states after it; making it is tried with the run itself
        assert state_after(db, "payout_run", run, act) == (state not in allowed, allowed.get(state, state)), state


def put_into(db, run: int, state: str, *, approver: int) -> None:
    """Let a run be in a state, with a hand-in that is open exactly where the state says so."""
    with db.begin() as session:
        session.execute(text("DELETE FROM payout_submission"))
        put = "UPDATE payout_run SET state = :state, approved_by = CASE WHEN :state = 'computed' THEN NULL ELSE :by END WHERE id = :run"
        session.execute(text(put), {"state": "file_made", "run": run, "by": approver})
    if state in {"submitting", "uncertain"}:
        sending.begin(db, run, by_folder=False, **SENT_BY)
    with db.begin() as session:
        session.execute(text(put), {"state": state, "run": run, "by": approver})


RUN_STATES = ("requested", "proposed", "publishing", "published", "failed", "cancelled", "superseded")
RUN_STEPS = {
    "publish": (
        lambda db, run: publishing.publish(db, run, by=1, at=NOW),
        {"proposed": "publishing", "publishing": "publishing", "published": "published"},
    ),
    "put aside": (
        lambda db, run: allocation.cancel_run(db, run, by=1, reason="the yield was wrong"),
        dict.fromkeys(("requested", "proposed", "failed", "cancelled"), "cancelled"),
    ),
}


@pytest.mark.parametrize("step", RUN_STEPS)
def test_no_step_of_a_sharing_out_is_skipped_or_repeated(db, step):
    act, allowed = RUN_STEPS[step]
    with db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=10_000)
        pool = a_pool(session, a_season(session))
        jam = an_offering(session, pool, price_minor=520)

    order(db, pool, {ana: {jam: 2}})
    run = propose(db, pool, {jam: 2})
    for state in RUN_STATES:
        with db.begin() as session:
            session.execute(
                text("UPDATE allocation_run SET state = :state WHERE id = :id"), {"state": state, "id": run}
            )
        assert state_after(db, "allocation_run", run, act) == (state not in allowed, allowed.get(state, state)), state


POOL_STATES = {
    "planned": "opened_at = NULL, closed_at = NULL",
    "open": "opened_at = :at, closed_at = NULL",
    "closed": "opened_at = :at, closed_at = :at",
}
POOL_STEPS = {
    "open": (lambda db, pool: pools.open_pool(db, pool, by=1, at=NOW), {"planned", "open", "closed"}),
    "close": (lambda db, pool: pools.close_pool(db, pool, by=1, at=NOW, reason="early"), {"open", "closed"}),
    "take an offering out": (lambda db, pool: pools.withdraw_offering(db, pool, 999_999, by=1), {"planned"}),
}
"""Opening what is open and closing what is closed change nothing; opening what is closed does not open it again."""


@pytest.mark.parametrize("step", POOL_STEPS)
@pytest.mark.parametrize("state", POOL_STATES)
def test_no_step_of_a_pool_is_skipped_or_undone(db, step, state):
    act, allowed = POOL_STEPS[step]
    with db.begin() as session:
        pool = a_pool(session, a_season(session))
        an_offering(session, pool)
        session.execute(text(f"UPDATE pool SET {POOL_STATES[state]} WHERE id = :id"), {"id": pool, "at": NOW})
    try:
        act(db, pool)
        refused = False
    except RuleBroken:
        refused = True
    assert refused is (state not in allowed)
    with db() as session:
        opened, closed = session.execute(
            text("SELECT opened_at IS NOT NULL, closed_at IS NOT NULL FROM pool WHERE id = :id"), {"id": pool}
        ).one()
    assert (opened, closed) == (
        state != "planned" or step == "open",
        state == "closed" or (state == "open" and step == "close"),
    )

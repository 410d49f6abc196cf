"""A payout is planned on one page, handed to the bank on another, and nobody guesses what the bank did."""

from __future__ import annotations

import re

import pytest
import time_machine
from sqlalchemy import text

from coop.payouts.models import PayoutRun
from coop.treasury import service as acts
from tests.rounds import PICKUP, fetch
from tests.services.test_payouts import Coop, sent, state
from tests.web.test_treasury_pages import shown


@pytest.fixture(autouse=True)
def on_the_pickup_day():
    with time_machine.travel(PICKUP, tick=True):
        yield


@pytest.fixture
def coop(db):
    """Mia is owed 67.50 for three mugs, Orchard Lane 9.36 for two jars."""
    made = Coop(db)
    fetch(db, made.anas_mugs, 3)
    fetch(db, made.anas_jam, 2)
    return made


# -- the plan --


def test_the_plan_says_the_smallest_payout_the_part_against_advances_and_whom_to_hold(client_as, coop, db):
    acts.pay_advance(db, coop.mia, 3000, by=0, at=PICKUP, key="a")
    petra = client_as("treasurer")
    # half of 67.50 would be 33.75, and the advance is 30.00: 37.50 are left
    page = shown(petra, "/payouts/new", through="2026-12-01", minimum="5", recoup="50")
    assert re.search(r"Mia&#39;s pottery €75.00 €7.50 €0.00 €30.00 €37.50 paid now", page)
    assert re.search(r"Orchard Lane €10.40 €1.04 €0.00 €0.00 €9.36 paid now", page)
    assert "Work out €46.86 for 2 makers" in page
    held = shown(petra, "/payouts/new", minimum="5", recoup="50", held=str(coop.mia))
    assert re.search(r"Mia&#39;s pottery €75.00 €7.50 €0.00 €67.50 held this time Pay", held)
    assert "Work out €9.36 for 1 maker" in held


def test_the_run_asked_for_is_the_one_that_was_shown(client_as, coop, db):
    petra = client_as("treasurer")
    where = f"/payouts/new?through=2026-11-30&minimum=2.50&recoup=25&held={coop.orchard}"
    fetch_earlier = petra.get(where)
    assert "Nothing to pay" in fetch_earlier.text  # the pickup was a day later
    started = petra.fill(where.replace("2026-11-30", "2026-12-01"), action="/payouts/new")
    assert started.status_code == 303
    with db() as session:
        run = session.scalars(text("SELECT id FROM payout_run")).one()
        kept = session.get_one(PayoutRun, run)
    assert (str(kept.through), kept.minimum_minor, kept.recoup_bp, kept.held) == ("2026-12-01", 250, 2500, [coop.orchard])  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"through": "yesterday"}, "Please give a day that exists"),
        ({"minimum": "-1"}, "Please give 0"),
        ({"minimum": "1.005"}, "finer than the currency"),
        ({"recoup": "101"}, "from 0 to 100"),
        ({"recoup": "1e1"}, "Please give a percentage"),
        ({"held": "1;2"}, "The makers to hold cannot be read"),
        ({"held": "1" * 30}, "The makers to hold cannot be read"),
    ],
)
def test_what_cannot_be_planned_is_refused_as_typed(client_as, coop, db, asked, said):
    petra = client_as("treasurer")
    looked_at = petra.get("/payouts/new", query_string=asked)
    assert looked_at.status_code == 200
    assert said in looked_at.text
    refused = petra.press("/payouts/new", {"through": "2026-12-01"} | asked)
    assert (refused.status_code, said in refused.text) == (422, True)
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM payout_run")) == 0


def test_each_makers_statement_is_shown_before_anybody_asks_for_it(client_as, coop, db):
    petra = client_as("treasurer")
    page = shown(petra, f"/payouts/new/makers/{coop.mia}", recoup="10")
    assert re.search(r"Mug lot \S+ 1 3 €75.00 €7.50 €0.00 €67.50", page)
    assert "Orchard" not in page
    assert "To pay €67.50" in page
    waits = shown(petra, f"/payouts/new/makers/{coop.orchard}")
    assert "waits: under the minimum" in waits
    assert "To pay €0.00" in waits
    assert petra.get("/payouts/new/makers/999999").status_code == 404


# -- with the bank --


def test_the_file_is_handed_in_by_saying_so_first(client_as, coop, db):
    run = sent(db, coop)
    petra = client_as("treasurer")
    path = f"/payouts/{run}"
    assert "Hand it to the bank" in shown(petra, path)
    assert "bank&#39;s folder" not in petra.get(path).text  # none is set up
    begun = petra.fill(path, action=f"{path}/submissions/hand")
    assert (begun.status_code, state(db, run)) == (303, "submitting")
    assert "It is being handed in" in shown(petra, path)
    said = petra.fill(f"{path}/bank-answer", {"said": "unknown", "reason": "the browser froze"})
    assert said.status_code == 303
    page = shown(petra, path)
    assert "I checked with the bank" in page
    assert "Nobody knows whether the bank has it: the browser froze" in page
    refused = petra.fill(f"{path}/bank-answer", {"said": "accepted", "reason": " "})
    assert (refused.status_code, "Say how you know" in refused.text) == (422, True)
    petra.fill(f"{path}/bank-answer", {"said": "accepted", "reason": "it is in the list of orders"})
    page = shown(petra, path)
    assert (state(db, run), "The bank has the file: it is in the list of orders" in page) == ("submitted", True)
    assert re.search(r"To makers €67.50 On its way €67.50 Paid €0.00 adds up", page)


def test_a_bank_answer_needs_a_choice_that_there_is(client_as, coop, db):
    run = sent(db, coop)
    petra = client_as("treasurer")
    petra.fill(f"/payouts/{run}", action=f"/payouts/{run}/submissions/hand")
    for sent_in in ({"reason": "x"}, {"said": "perhaps", "reason": "x"}):
        assert petra.fill(f"/payouts/{run}/bank-answer", sent_in).status_code == 422
    assert state(db, run) == "submitting"


@pytest.mark.parametrize("way", ["folder", "pigeon"])
def test_a_way_to_the_bank_that_there_is_not_is_unknown(client_as, coop, db, way):
    run = sent(db, coop)
    assert client_as("treasurer").press(f"/payouts/{run}/submissions/{way}").status_code == 404
    assert state(db, run) == "file_made"


def test_a_changed_file_is_not_given_out(client_as, coop, db):
    run = sent(db, coop)
    with db.begin() as session:
        session.execute(text("UPDATE bank_file SET bytes = bytes || ' '"))
    refused = client_as("treasurer").get(f"/payouts/{run}/file")
    assert (refused.status_code, "its digest differs" in refused.text) == (422, True)


def test_a_run_that_went_wrong_is_tried_again(client_as, coop, db):
    from coop import jobs
    from coop.payouts import service as payouts
    from tests.rounds import work_off

    run = payouts.request_payouts(db, through=PICKUP.date(), by=coop.jun, at=PICKUP)
    with db() as session:
        outbox_id = session.scalar(text("SELECT id FROM outbox WHERE job = :job"), {"job": jobs.COMPUTE_PAYOUTS})
    lease = jobs.take(db, outbox_id, jobs.COMPUTE_PAYOUTS)
    with db.begin() as session:
        jobs.bury(session, lease, why="the disk was gone")
        payouts.fail(session, run, "The disk was gone.")
    petra = client_as("treasurer")
    assert "The disk was gone." in shown(petra, f"/payouts/{run}")
    assert petra.fill(f"/payouts/{run}", action=f"/payouts/{run}/again").status_code == 303
    work_off(db, jobs.COMPUTE_PAYOUTS, run, lambda d, lease: payouts.carry_out(d, lease, at=PICKUP))
    assert state(db, run) == "computed"
    assert petra.press(f"/payouts/{run}/again").status_code == 422


def test_a_settled_run_is_closed(client_as, coop, db):
    from tests.services.test_bank import bring_in

    run = sent(db, coop)
    petra = client_as("treasurer")
    assert petra.press(f"/payouts/{run}/closing").status_code == 422
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    bring_in(db, ("B1", -6750, end_to_end, ""))
    assert petra.fill(f"/payouts/{run}", action=f"/payouts/{run}/closing").status_code == 303
    page = shown(petra, f"/payouts/{run}")
    assert "Nothing more is expected of this run." in page
    assert re.search(r"On its way €0.00 Paid €67.50 adds up", page)


# -- what the bank did with single payments --


def test_the_banks_report_is_taken_in_like_a_statement(client_as, coop, db):
    from tests.formats.test_pain_status import report
    from tests.web.test_treasury_pages import upload

    run = sent(db, coop)
    with db() as session:
        end_to_end, message = session.execute(text("SELECT end_to_end_id, message_id FROM payment, bank_file")).one()
    petra = client_as("treasurer")
    wrong = upload(petra, report((end_to_end, "RJCT", "AC04", "1.00"), message=message))
    assert (wrong.status_code, "another amount" in wrong.text) == (422, True)
    done = upload(petra, report((end_to_end, "RJCT", "AC04", "67.50"), message=message))
    assert (done.status_code, done.location) == (303, f"/payouts/{run}")
    page = shown(petra, f"/payouts/{run}")
    assert re.search(r"refused by the bank Tue, 1 Dec The account is closed. \(AC04\)", page)
    assert "Report of the bank read: 1 payment refused" in page
    assert re.search(r"On its way €0.00 Paid €0.00 Came back €67.50 adds up", page)


def test_what_no_file_tells_is_noted_by_hand(client_as, coop, db):
    run = sent(db, coop)
    with db() as session:
        payment = session.scalar(text("SELECT id FROM payment"))
    petra = client_as("treasurer")
    path = f"/payouts/{run}/payments/{payment}"
    for typed, said in (
        ({"said": "paid", "on": "2026-12-02"}, "today or earlier"),
        ({"said": "paid", "on": ""}, "Please give a day"),
        ({"said": "lost", "on": "2026-12-01"}, "Not a valid choice"),
        ({"said": "came_back", "on": "2026-12-01", "fee": "-1"}, "Please give 0"),
        ({"said": "came_back", "on": "2026-12-01"}, "Only a payment that the bank has sent can come back"),
        ({"said": "refused", "on": "2026-12-01", "reason": "R99"}, "Not a valid choice"),
    ):
        refused = petra.fill(path, typed)
        assert (refused.status_code, said in refused.text) == (422, True), typed
    assert petra.fill(path, {"said": "paid", "on": "2026-12-01"}).status_code == 303
    assert state(db, run) == "settled"
    assert (
        petra.fill(path, {"said": "came_back", "on": "2026-12-01", "reason": "R02", "fee": "1.50"}).status_code == 303
    )
    page = shown(petra, f"/payouts/{run}")
    assert re.search(r"came back Tue, 1 Dec The account is closed. \(R02\)", page)
    assert state(db, run) == "partly_returned"
    assert petra.get(f"/payouts/{run + 1}/payments/{payment}").status_code == 404

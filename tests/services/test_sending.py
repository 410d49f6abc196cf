"""A bank file is handed in once: what is not known is asked of the bank by a person, and never tried again by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from coop import jobs
from coop.core.ledger import PAYOUT_TRANSIT
from coop.payouts.models import PayoutRun, Submission
from coop.sending import service as sending
from tests.rounds import PICKUP, balances, fetch, work_off
from tests.services.test_bank import bring_in
from tests.services.test_payouts import Coop, refusal, sent, state


@pytest.fixture
def coop(db):
    return Coop(db)


@pytest.fixture
def run(db, coop):
    fetch(db, coop.anas_mugs, 3)
    return sent(db, coop)


def begin(db, run_id, *, by_folder=False):
    sending.begin(db, run_id, by_folder=by_folder, by=7, at=PICKUP)


def answer(db, run_id, said, reason=""):
    sending.note_answer(db, run_id, said, reason=reason, by=7, at=PICKUP)


def hand_in(db, folder):
    def work(db, lease):
        sending.carry_out(db, lease, folder=folder, at=PICKUP)

    with db() as session:
        submission_id = session.scalar(select(Submission.id).order_by(Submission.id.desc()).limit(1))
    work_off(db, jobs.HAND_IN_PAYOUTS, submission_id, work)


def submissions(db):
    with db() as session:
        rows = session.scalars(select(Submission).order_by(Submission.id))
        return [(row.outcome, row.reason, row.ended_by) for row in rows]


def test_it_is_noted_before_the_bank_gets_the_file(db, run):
    begin(db, run)
    begin(db, run)  # a second click changes nothing
    assert (state(db, run), submissions(db)) == ("submitting", [(None, "", None)])
    answer(db, run, "accepted")
    assert (state(db, run), submissions(db)) == ("submitted", [("accepted", "", 7)])
    assert refusal(begin, db, run) == "with_the_bank"
    assert refusal(answer, db, run, "not_accepted", "changed my mind") == "not_handed_in"


def test_what_the_bank_did_not_accept_is_handed_in_once_more_with_the_same_bytes(db, run):
    begin(db, run)
    assert refusal(answer, db, run, "not_accepted") == "reason_missing"
    answer(db, run, "not_accepted", "the bank's page was down")
    assert state(db, run) == "file_made"
    begin(db, run)
    answer(db, run, "accepted")
    with db() as session:
        digests = session.scalars(select(Submission.sha256)).all()
        stored = session.scalar(text("SELECT encode(sha256(bytes), 'hex') FROM bank_file"))
    assert list(digests) == [stored, stored]


@pytest.mark.parametrize(("said", "then"), [("accepted", "submitted"), ("not_accepted", "file_made")])
def test_a_doubt_is_settled_by_a_person_who_says_how_they_know(db, run, said, then):
    begin(db, run)
    answer(db, run, "unknown", "the browser froze")
    assert state(db, run) == "uncertain"
    assert refusal(begin, db, run) == "with_the_bank"
    assert refusal(answer, db, run, said, "  ") == "reason_missing"
    answer(db, run, said, "Ms Byrne at the bank looked it up")
    assert (state(db, run), submissions(db)) == (then, [(said, "Ms Byrne at the bank looked it up", 7)])


def test_a_run_without_a_file_is_not_handed_in(db, coop):
    from tests.rounds import compute_payouts

    fetch(db, coop.anas_mugs, 1)
    run_id = compute_payouts(db, by=coop.jun)
    assert refusal(begin, db, run_id) == "no_bank_file"
    assert refusal(answer, db, run_id, "accepted") == "not_handed_in"


def test_a_stored_file_that_was_changed_is_not_handed_in(db, run):
    with db.begin() as session:
        session.execute(text("UPDATE bank_file SET bytes = bytes || ' '"))
    assert refusal(begin, db, run) == "file_changed"
    assert (state(db, run), submissions(db)) == ("file_made", [])


def test_the_worker_puts_the_file_into_the_banks_folder(db, run, tmp_path):
    begin(db, run, by_folder=True)
    assert refusal(answer, db, run, "accepted") == "under_way"
    hand_in(db, tmp_path)
    (file,) = tmp_path.iterdir()
    with db() as session:
        name, content = session.execute(text("SELECT message_id || '.xml', bytes FROM bank_file")).one()
    assert (file.name, file.read_bytes()) == (name, bytes(content))
    assert (state(db, run), submissions(db)) == ("submitted", [("accepted", "", 0)])


def test_a_folder_that_takes_nothing_leaves_the_file_to_be_handed_in(db, run, tmp_path):
    begin(db, run, by_folder=True)
    hand_in(db, tmp_path / "gone")
    assert state(db, run) == "file_made"
    ((outcome, reason, _),) = submissions(db)
    assert (outcome, "No such file or directory" in reason) == ("not_accepted", True)
    begin(db, run)


def test_a_job_that_was_begun_before_goes_to_no_folder_again(db, run, tmp_path):
    begin(db, run, by_folder=True)
    with db.begin() as session:
        session.execute(text("UPDATE payout_submission SET started_at = now()"))
    hand_in(db, tmp_path)
    assert (state(db, run), list(tmp_path.iterdir())) == ("uncertain", [])


def test_a_statement_of_the_bank_ends_every_doubt(db, run):
    begin(db, run)
    answer(db, run, "unknown", "the browser froze")
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    bring_in(db, ("B1", -6750, end_to_end, ""))
    assert state(db, run) == "settled"
    assert [outcome for outcome, _, _ in submissions(db)] == ["accepted"]
    assert balances(db, PAYOUT_TRANSIT) == {}


def test_a_run_is_closed_when_nothing_is_open_and_money_that_comes_back_opens_it_again(db, run):
    assert refusal(sending.close, db, run, by=7, at=PICKUP) == "still_open"
    with db() as session:
        end_to_end = session.scalar(text("SELECT end_to_end_id FROM payment"))
    bring_in(db, ("B1", -6750, end_to_end, ""))
    sending.close(db, run, by=7, at=PICKUP)
    sending.close(db, run, by=8, at=PICKUP)  # once more changes nothing
    with db() as session:
        closed = session.get_one(PayoutRun, run)
    assert (closed.state, closed.closed_by) == ("closed", 7)
    bring_in(db, ("B2", 6750, end_to_end, ""), name="STMT2")
    assert state(db, run) == "partly_returned"

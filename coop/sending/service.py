"""Hand a run's bank file to the bank once, and say so before it goes: a crash in between is a doubt that a person settles.

Whatever goes wrong, nothing is ever handed in again by itself, and each hand-over is of the same stored bytes.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import jobs
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.db import Db
from coop.failpoints import reach
from coop.jobs import Lease
from coop.payouts import service as payouts
from coop.payouts.models import BankFile, PayoutRun, Submission
from coop.ports.bank_folder import NotHandedIn, hand_in

ACCEPTED: Final = "accepted"
NOT_ACCEPTED: Final = "not_accepted"
UNKNOWN: Final = "unknown"
HANDED_IN: Final = "handed_in"
"""The failpoint between the bank's having the bytes and our knowing it."""


def begin(db: Db, run_id: int, *, by_folder: bool, by: int, at: datetime) -> None:
    """Note that the bank file is being handed in, before it is: by the worker into the bank's folder, or by the person.

    Repeating it changes nothing. Raises `no_bank_file`, `with_the_bank` and `file_changed`.
    """
    with db.begin() as session:
        run = payouts.locked_run(session, run_id)
        if run.state == "submitting":
            return
        if run.state != "file_made":
            if run.file_made_at is None:
                raise RuleBroken("no_bank_file", "There is no bank file yet; it is made once the run is approved.")
            raise RuleBroken("with_the_bank", "The bank has this file, or may have it; it is not handed in again.")
        sha256 = _unchanged(session, run_id).sha256
        submission = Submission(run_id=run_id, by_folder=by_folder, sha256=sha256, begun_by=by, begun_at=at)
        session.add(submission)
        session.flush()
        run.state = "submitting"
        if by_folder:
            jobs.request(session, jobs.HAND_IN_PAYOUTS, submission.id)
        detail = {"by_folder": by_folder, "sha256": sha256}
        audit.record(session, "begin_submission", by=by, subject=("payout_run", run_id), detail=detail)


def carry_out(db: Db, lease: Lease, *, folder: Path | None, at: datetime) -> None:
    """Put the file into the bank's folder, once: who finds it begun before does not know what came of it, and leaves it in doubt."""
    with db.begin() as session:
        submission = session.get_one(Submission, lease.row_id, with_for_update=True)
        run = payouts.locked_run(session, submission.run_id)
        if submission.outcome is not None or run.state != "submitting":
            jobs.finish(session, lease)
            return
        if submission.started_at is not None:
            jobs.finish(session, lease)
            _doubt(session, run, "The worker was cut off while it handed the file in.", by=0)
            return
        file = _unchanged(session, run.id)
        name, content = f"{file.message_id}.{file.extension}", bytes(file.bytes)
        jobs.still_ours(session, lease)
        submission.started_at = at
    try:
        hand_in(folder, name, content)
    except NotHandedIn as refused:
        _end(db, lease, NOT_ACCEPTED, refused.sentence, at=at)
        return
    reach(f"{lease.job}@{HANDED_IN}")
    _end(db, lease, ACCEPTED, "", at=at)


def _end(db: Db, lease: Lease, said: str, reason: str, *, at: datetime) -> None:
    with db.begin() as session:
        jobs.finish(session, lease)
        submission = session.get_one(Submission, lease.row_id)
        run = payouts.locked_run(session, submission.run_id)
        if run.state == "submitting":
            _settle(session, run, said, reason, by=0, at=at)


def fail(session: Session, submission_id: int, why: str) -> None:
    """Leave a submission in doubt whose worker had to give it up."""
    run = payouts.locked_run(session, session.get_one(Submission, submission_id).run_id)
    if run.state == "submitting":
        _doubt(session, run, why, by=0)


def note_answer(db: Db, run_id: int, said: str, *, reason: str, by: int, at: datetime) -> None:
    """Note whether the bank accepted the file, as a person found out; `not_accepted` lets the same bytes be handed in again.

    Raises `reason_missing` where there was a doubt or a refusal, `under_way` and `not_handed_in`.
    """
    assert said in {ACCEPTED, NOT_ACCEPTED, UNKNOWN}, said
    with db.begin() as session:
        run = payouts.locked_run(session, run_id)
        if run.state not in {"submitting", "uncertain"}:
            raise RuleBroken("not_handed_in", "Nothing is known to be open between us and the bank for this run.")
        if run.state == "submitting" and _open(session, run_id).by_folder:
            raise RuleBroken("under_way", "The worker is handing the file in at this moment; look again shortly.")
        words = reason.strip()
        if not words and (run.state == "uncertain" or said != ACCEPTED):
            raise RuleBroken("reason_missing", "Say how you know: whom you asked at the bank, or what you saw there.", field="reason")  # fmt: skip
        if said == UNKNOWN:
            _doubt(session, run, words, by=by)
        else:
            _settle(session, run, said, words, by=by, at=at)


def bank_told(session: Session, run: PayoutRun, *, accepted: bool, reason: str, by: int, at: datetime) -> None:
    """Let what the bank itself reports end whatever is open about the file; a run that needs no answer is left as it is."""
    if run.state in {"submitting", "uncertain"}:
        _settle(session, run, ACCEPTED if accepted else NOT_ACCEPTED, reason, by=by, at=at)
    elif run.state == "file_made" and accepted:
        run.state, run.failure = "submitted", None
        audit.record(session, "confirm_submission", by=by, subject=("payout_run", run.id), detail={"reason": reason})


def close(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Close a run of which nothing more is expected; money that comes back even so opens it again.

    Raises `still_open`.
    """
    with db.begin() as session:
        run = payouts.locked_run(session, run_id)
        if run.state == "closed":
            return
        if run.state not in {"settled", "partly_returned"}:
            raise RuleBroken("still_open", "A run is closed once each of its payments was paid or came back.")
        run.state, run.closed_at, run.closed_by = "closed", at, by
        audit.record(session, "close_payouts", by=by, subject=("payout_run", run_id))


def _doubt(session: Session, run: PayoutRun, why: str, *, by: int) -> None:
    run.state, run.failure = "uncertain", why
    audit.record(session, "doubt_submission", by=by, subject=("payout_run", run.id), detail={"reason": why})


def _settle(session: Session, run: PayoutRun, said: str, reason: str, *, by: int, at: datetime) -> None:
    submission = _open(session, run.id)
    submission.outcome, submission.reason, submission.ended_by, submission.ended_at = said, reason, by, at
    run.state = "submitted" if said == ACCEPTED else "file_made"
    run.failure = None if said == ACCEPTED else f"The bank file was not accepted. {reason}"
    act = "confirm_submission" if said == ACCEPTED else "refuse_submission"
    detail: dict[str, Any] = {"reason": reason}
    audit.record(session, act, by=by, subject=("payout_run", run.id), detail=detail)


def _open(session: Session, run_id: int) -> Submission:
    found = select(Submission).where(Submission.run_id == run_id, Submission.outcome.is_(None)).with_for_update()
    return session.scalars(found).one()


def _unchanged(session: Session, run_id: int) -> BankFile:
    """Return the stored file. Raises `file_changed` where it is not the one that was made."""
    file = session.get_one(BankFile, run_id)
    if hashlib.sha256(file.bytes).hexdigest() != file.sha256:
        raise RuleBroken(
            "file_changed", "The stored bank file is not the one that was made: its digest differs. Do not use it."
        )
    return file

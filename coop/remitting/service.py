"""Ask for a bank file of what is owed to households, let a second person approve it, and store it before anybody has it."""

import hashlib
from datetime import date, datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.errors import RuleBroken
from coop.core.season import local_day, zone_named
from coop.db import Db, locked
from coop.equity import service as equity
from coop.equity.models import HouseholdPayment
from coop.formats.payment_file import EXTENSIONS, SENDER, Due, Orders, Sender, write_payment_file
from coop.payees import service as payees
from coop.payees.models import HouseholdAccount
from coop.payouts.queries import bank_balance_left
from coop.people import service as people
from coop.policy import service as policy
from coop.remitting import queries
from coop.remitting.models import HouseholdFile, HouseholdFileLine
from coop.seconding import service as seconding


def ask(db: Db, *, by: int, at: datetime, key: str) -> int:
    """Gather every payment to a household that a bank file can pay now; return the file that waits for a second person.

    Raises `nothing_due` and `one_waits`.
    """
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body={"act": "ask_household_file"})) is not None:
            return spent
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('household_file'))"))
        if session.scalar(select(HouseholdFile.id).where(HouseholdFile.state == "waiting")) is not None:
            raise RuleBroken("one_waits", "A file waits for its second person. Let that be decided first.")
        payable = [row for row in queries.due(session, at=at) if not row.waits]
        if not payable:
            raise RuleBroken("nothing_due", "There is no payment that a bank file could pay now.")
        file = HouseholdFile(state="waiting", asked_by=by, asked_at=at)
        session.add(file)
        session.flush()
        session.add_all(
            HouseholdFileLine(file_id=file.id, payment_id=row.payment_id, account_id=row.account_id) for row in payable
        )
        _record(session, "ask_household_file", file, by=by)
        keys.answer(session, by=by, key=key, row_id=file.id)
        return file.id


def make(db: Db, file_id: int, *, by: int, at: datetime, field_key: bytes) -> str:
    """Approve a file as a second person and store its bytes; return their SHA-256. Asking again returns the same.

    Raises `second_person`, `own_household`, `not_waiting`, `inputs_changed`, `not_covered`, `no_bank_account` and `account_elsewhere`.
    """
    with db.begin() as session:
        file = locked(session, HouseholdFile, file_id, called="bank file")
        if seconding.is_done(file, by=by):
            assert file.sha256 is not None
            return file.sha256
        _refuse_own(session, file_id, by=by)
        lines = _lines(session, file_id)
        _refuse_changed(session, lines)
        agreed = policy.all_current(session, at=at)
        if bank_balance_left(session) + agreed["bank_overdraft_minor"] < 0:
            raise RuleBroken("not_covered", "The bank account holds less than is on its way. Import the latest bank statement, or wait for money to arrive.")  # fmt: skip
        file.message_id = f"SBH{file_id}R{at:%Y%m%d%H%M%S}"
        orders = Orders(
            number=file_id,
            message_id=file.message_id,
            made_at=at.astimezone(zone_named(agreed["zone"])),
            pay_on=local_day(at, agreed["zone"]),
            currency=agreed["currency"],
            sender=Sender(*(agreed[name] for name in SENDER)),
            payments=[_due(session, *one, field_key) for one in lines],
        )
        file.content = write_payment_file(agreed["bank_file"], orders)
        file.sha256 = hashlib.sha256(file.content).hexdigest()
        file.extension = EXTENSIONS[agreed["bank_file"]]
        seconding.settle(file, by=by, at=at)
        for payment, account in lines:
            _tell(session, payment, account)
        _record(session, "make_household_file", file, by=by, sha256=file.sha256)
        return file.sha256


def withdraw(db: Db, file_id: int, *, by: int, at: datetime) -> None:
    """Let a file fall that waits; its payments go in the next. Raises `not_waiting`."""
    with db.begin() as session:
        file = locked(session, HouseholdFile, file_id, called="bank file")
        if seconding.withdraw(file, by=by, at=at):
            _free(session, file_id)
            _record(session, "withdraw_household_file", file, by=by)


def note_refused(db: Db, file_id: int, *, reason: str, by: int, at: datetime) -> None:
    """Note that the bank did not take a file, whole: its payments go in the next. Noting it twice changes nothing.

    Raises `reason_missing`, `not_made`, and `paid_already` where any of it was paid.
    """
    with db.begin() as session:
        file = locked(session, HouseholdFile, file_id, called="bank file")
        if file.refused_at is not None:
            return
        if file.state != "done":
            raise RuleBroken("not_made", "This file was not made, so no bank could refuse it.")
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say how you know that the bank did not take it.", field="reason")
        if any(payment.settled_on is not None for payment, _ in _lines(session, file_id)):
            raise RuleBroken("paid_already", "Some of this file was paid, so the bank has it.")
        file.refused_at, file.refused_by, file.refused_reason = at, by, reason.strip()
        _free(session, file_id)
        _record(session, "refuse_household_file", file, by=by, reason=reason.strip())


def note_paid(db: Db, file_id: int, *, on: date, by: int, at: datetime) -> int:
    """Note by hand that the bank paid a file, each of its payments as one by hand; return how many. Raises `not_made` and `future_date`."""
    with db.begin() as session:
        file = locked(session, HouseholdFile, file_id, called="bank file")
        if file.state != "done" or file.refused_at is not None:
            raise RuleBroken("not_made", "This file is not with the bank.")
        agreed = policy.all_current(session, at=at)
        if on > local_day(at, agreed["zone"]):
            raise RuleBroken("future_date", "Note it once the bank has sent it: today or earlier.", field="on")
        unpaid = queries.unpaid_of(session, file_id)
        equity.settle_by_hand(session, unpaid, on=on, by=by, currency=agreed["currency"])
        _record(session, "household_file_paid", file, by=by, payments=len(unpaid))
        return len(unpaid)


Line = tuple[HouseholdPayment, HouseholdAccount]


def _lines(session: Session, file_id: int) -> list[Line]:
    rows = session.execute(
        select(HouseholdPayment, HouseholdAccount)
        .join(HouseholdFileLine, HouseholdFileLine.payment_id == HouseholdPayment.id)
        .join(HouseholdAccount, HouseholdAccount.id == HouseholdFileLine.account_id)
        .where(HouseholdFileLine.file_id == file_id, HouseholdFileLine.live)
        .order_by(HouseholdPayment.id)
        .with_for_update(of=HouseholdPayment)
    )
    return [(payment, account) for payment, account in rows]


_PAYS_OWN = text("""
SELECT 1 FROM household_file_line l JOIN household_payment y ON y.id = l.payment_id AND y.purpose <> 'dividend'
  JOIN belonging b ON b.household_id = y.household_id AND b.ended_at IS NULL WHERE l.file_id = :file AND b.person_id = :person LIMIT 1
""")


def _refuse_own(session: Session, file_id: int, *, by: int) -> None:
    """Leave what was decided for one's own household to another; a dividend follows from the bylaw for all alike."""
    if session.execute(_PAYS_OWN, {"file": file_id, "person": by}).first():
        raise RuleBroken("own_household", "This file pays something to your own household, so somebody else approves it.")  # fmt: skip


def _refuse_changed(session: Session, lines: list[Line]) -> None:
    latest = payees.latest_accounts(session, {payment.household_id for payment, _ in lines})
    for payment, account in lines:
        if payment.settled_on is not None or latest[payment.household_id] != account.id:
            raise RuleBroken(
                "inputs_changed",
                f"Since this file was asked for, {payment.end_to_end_id} was paid another way or its account changed. Withdraw it and ask anew.",
            )


def _due(session: Session, payment: HouseholdPayment, account: HouseholdAccount, field_key: bytes) -> Due:
    number = payees.unseal_account(session, account.id, field_key)
    words = {"dividend": "Dividend", "buyback": "Bought back", "refund": "Credit paid back"}[payment.purpose]
    return Due(payment.end_to_end_id, account.holder, number, payment.amount_minor, words)


def _tell(session: Session, payment: HouseholdPayment, account: HouseholdAccount) -> None:
    values = {"purpose": payment.purpose, "amount_minor": payment.amount_minor, "ending": account.ending}
    told = f"household_payment_sent:{payment.id}"
    people.tell_household(
        session, told, "household_payment_sent", payment.household_id, values | {"reference": payment.end_to_end_id}
    )


def _free(session: Session, file_id: int) -> None:
    session.execute(update(HouseholdFileLine).where(HouseholdFileLine.file_id == file_id).values(live=False))


def _record(session: Session, act: str, file: HouseholdFile, *, by: int, **detail: object) -> None:
    audit.record(session, act, by=by, subject=("household_file", file.id), detail=detail)

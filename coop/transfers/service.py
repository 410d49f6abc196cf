"""Let the money of a payout run go: a second person approves, and the bank file is stored before anybody has it."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from coop import jobs
from coop.agreements import service as agreements
from coop.agreements.models import BankDetails
from coop.audit import service as audit
from coop.catalog.models import Artisan
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, artisan_party, payment_party
from coop.core.payout import Settlement, payout_sent
from coop.core.season import local_day, zone_named
from coop.db import Db
from coop.formats.payment_file import EXTENSIONS, SENDER, Due, Orders, Sender, write_payment_file
from coop.ledger import service as ledger
from coop.payouts import queries
from coop.payouts import service as payouts
from coop.payouts.models import BankFile, Payment, PayoutRun, Statement
from coop.people import service as people
from coop.policy import service as policy


def approve(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Agree, as a second person, that a computed run is paid.

    Raises `second_person`, `own_workshop`, `not_covered`, `not_computed` or `too_late`.
    """
    with db.begin() as session:
        run = payouts.locked_run(session, run_id)
        if run.state == "approved" and run.approved_by == by:
            return
        _must_be(run, "computed", "Only a run that is computed and not yet approved can be approved.")
        if run.requested_by == by:
            raise RuleBroken("second_person", "A second person approves: not the one who asked for this payout.")
        if session.execute(_PAYS_OWN_WORKSHOP, {"run": run_id, "person": by}).first():
            raise RuleBroken("own_workshop", "This run pays a workshop you belong to, so somebody else approves it.")
        _check_covered(session, run_id, at=at)
        run.state, run.approved_by, run.approved_at = "approved", by, at
        audit.record(session, "approve_payouts", by=by, subject=("payout_run", run_id))


def make_file(db: Db, run_id: int, *, by: int, at: datetime, field_key: bytes) -> str:
    """Store the bank file of an approved run, put its money in transit, and return the file's SHA-256.

    Made once: asking again returns the digest of the same bytes. Raises `not_approved`,
    `no_bank_account` and `account_elsewhere`.
    """
    with db.begin() as session:
        run = payouts.locked_run(session, run_id)
        if run.file_made_at is not None:
            return session.get_one(BankFile, run_id).sha256
        _must_be(run, "approved", "The bank file is made once a second person has approved the run.")
        agreed = policy.all_current(session, at=at)
        _check_covered(session, run_id, at=at)
        if fewer := queries.owes_more_than_is_owed(session, run_id):
            said = f"Something was put right since this run was worked out, so less is owed to {', '.join(fewer)}. Call it off and ask anew."
            raise RuleBroken("inputs_changed", said)
        payments = _payments(session, run_id)
        message_id = f"SB{run_id}R{at:%Y%m%d%H%M%S}"
        orders = Orders(
            number=run_id,
            message_id=message_id,
            made_at=at.astimezone(zone_named(agreed["zone"])),
            pay_on=local_day(at, agreed["zone"]),
            currency=agreed["currency"],
            sender=Sender(*(agreed[name] for name in SENDER)),
            payments=[_due(*one, field_key) for one in payments],
        )
        content = write_payment_file(agreed["bank_file"], orders)
        sha256 = hashlib.sha256(content).hexdigest()
        ends = EXTENSIONS[agreed["bank_file"]]
        session.add(
            BankFile(run_id=run_id, message_id=message_id, extension=ends, bytes=content, sha256=sha256, made_at=at)
        )
        _put_in_transit(
            session, run_id, payments, day=local_day(at, agreed["zone"]), by=by, currency=agreed["currency"]
        )
        told = [(payment, statement) for payment, statement, _ in payments]
        tell_makers(session, "payout_sent", told, through=run.through.isoformat())
        run.state, run.file_made_at = "file_made", at
        jobs.request(session, jobs.WRITE_STATEMENTS, run_id)
        audit.record(session, "make_bank_file", by=by, subject=("payout_run", run_id), detail={"sha256": sha256})
        return sha256


def _due(payment: Payment, statement: Statement, details: BankDetails, field_key: bytes) -> Due:
    account = agreements.unseal_account(details, field_key)
    words = f"Statement {statement.series}-{statement.number}"
    return Due(payment.end_to_end_id, details.holder, account, payment.amount_minor, words)


_PAYS_OWN_WORKSHOP = text("""
SELECT 1 FROM role_grant g JOIN statement s ON s.artisan_id = g.artisan_id
 WHERE s.run_id = :run AND g.person_id = :person AND g.ended_at IS NULL LIMIT 1
""")


def _check_covered(session: Session, run_id: int, *, at: datetime) -> None:
    """Raise `not_covered` where the bank account, less what is on its way and with what the bank lends, holds less than the run pays."""
    total = session.scalar(
        select(func.sum(Payment.amount_minor))
        .join(Statement, Statement.id == Payment.statement_id)
        .where(Statement.run_id == run_id)
    )
    lent = policy.current(session, "bank_overdraft_minor", at=at)
    if queries.bank_balance_left(session) + lent < (total or 0):
        raise RuleBroken(
            "not_covered",
            "The bank account holds less than this run pays. Import the latest bank statement, or wait for money to arrive.",
        )


def tell_maker(session: Session, template: str, payment: Payment, statement: Statement, **more: str) -> None:
    tell_makers(session, template, [(payment, statement)], **more)


def tell_makers(session: Session, template: str, paid: Sequence[tuple[Payment, Statement]], **more: str) -> None:
    """Tell each maker what became of a payment to them."""
    ids = literal([statement.artisan_id for _, statement in paid], ARRAY(BigInteger))
    names = {artisan_id: name for artisan_id, name in session.execute(select(Artisan.id, Artisan.name).where(Artisan.id == any_(ids)))}  # fmt: skip # noqa: C416 - a row is no pair to mypy
    letters: list[tuple[str, int, dict[str, Any]]] = []
    for payment, statement in paid:
        values = {
            "artisan": names[statement.artisan_id],
            "amount_minor": payment.amount_minor,
            "statement": f"{statement.series}-{statement.number}",
            "statement_id": statement.id,
        }
        letters.append((f"{template}:{payment.id}", statement.artisan_id, values | more))
    people.tell_artisans(session, template, letters)


def _must_be(run: PayoutRun, state: str, sentence: str) -> None:
    if run.state != state:
        raise RuleBroken("too_late" if run.file_made_at else f"not_{state}", sentence)


def _payments(session: Session, run_id: int) -> list[tuple[Payment, Statement, BankDetails]]:
    rows = session.execute(
        select(Payment, Statement, BankDetails)
        .join(Statement, Statement.id == Payment.statement_id)
        .join(BankDetails, BankDetails.id == Payment.bank_details_id)
        .where(Statement.run_id == run_id)
        .order_by(Statement.number)
    )
    return [(payment, statement, details) for payment, statement, details in rows]


def _put_in_transit(
    session: Session,
    run_id: int,
    payments: Sequence[tuple[Payment, Statement, BankDetails]],
    *,
    day: date,
    by: int,
    currency: str,
) -> None:
    entries = [
        Entry(
            f"payout:{run_id}:{statement.artisan_id}",
            "payout",
            day,
            payout_sent(
                artisan_party(statement.artisan_id),
                payment_party(payment.id),
                Settlement(
                    statement.set_off_minor,
                    statement.recouped_minor,
                    sent=payment.amount_minor,
                    kept=0,
                    reason="sent",
                ),
            ),
        )
        for payment, statement, _ in payments
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (payment, _, _), entry_id in zip(payments, entry_ids, strict=True):
        payment.sent_entry_id = entry_id

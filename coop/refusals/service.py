"""Read what the bank says of a payment file: what it refused is owed to its maker again, and a doubt about the file ends."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.confirmations import service as confirmations
from coop.confirmations.service import Refused
from coop.core.errors import RuleBroken
from coop.core.money import minor_exponent
from coop.core.season import local_day
from coop.db import Db
from coop.formats.pain_status import ACCEPTED, REJECTED, PaymentStatus, StatusReport, read_pain002
from coop.payouts import service as payouts
from coop.payouts.models import BankFile, Payment, PayoutRun, Statement
from coop.policy import service as policy
from coop.refusals.models import StatusReportRead
from coop.sending import service as sending


def read_report(db: Db, content: bytes, *, by: int, at: datetime) -> int:
    """Take a status report in, whole or not at all; return the run it is about. The same file again changes nothing.

    Raises what `read_pain002` does, and `unknown_message`, `unknown_payment`, `wrong_amount`, `wrong_currency` and `paid_already`.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    with db.begin() as session:
        session.execute(text("LOCK TABLE status_report IN SHARE ROW EXCLUSIVE MODE"))
        known = session.scalar(select(StatusReportRead.run_id).where(StatusReportRead.sha256 == sha256))
        if known is not None:
            return known
        agreed = policy.all_current(session, at=at)
        report = read_pain002(content, exponent=minor_exponent(agreed["currency"]))
        found = session.scalar(select(BankFile.run_id).where(BankFile.message_id == report.message_id))
        if found is None:
            raise RuleBroken("unknown_message", "This report is about a file that is none of ours.", field="file")
        run = payouts.locked_run(session, found)
        refused = _refused(_payments(session, run.id), report, agreed["currency"])
        _tell_of_file(session, run, report, refused, by=by, at=at)
        day = local_day(at, agreed["zone"])
        count = confirmations.take_refused(session, refused, on=day, by=by, at=at, currency=agreed["currency"])
        session.add(
            StatusReportRead(
                run_id=run.id,
                sha256=sha256,
                report_reference=report.reference,
                status=report.status,
                refused=count,
                read_by=by,
                read_at=at,
            )
        )
        detail = {"sha256": sha256, "status": report.status, "refused": count, "reason": _reason(report, count)}
        audit.record(session, "read_status_report", by=by, subject=("payout_run", run.id), detail=detail)
        return run.id


def _payments(session: Session, run_id: int) -> dict[str, Payment]:
    of_run = select(Payment).join(Statement, Statement.id == Payment.statement_id).where(Statement.run_id == run_id)
    return {one.end_to_end_id: one for one in session.scalars(of_run.order_by(Payment.id).with_for_update(of=Payment))}


def _refused(payments: dict[str, Payment], report: StatusReport, currency: str) -> list[Refused]:
    """Return what the report refuses and was not refused before; a report that does not fit our file is refused itself."""
    told: dict[str, PaymentStatus] = {}
    for one in report.payments:
        payment = payments.get(one.end_to_end_id)
        if payment is None:
            raise RuleBroken("unknown_payment", f"The report speaks of {one.end_to_end_id}, which is not in that file.", field="file")  # fmt: skip
        if one.currency and one.currency != currency:
            raise RuleBroken("wrong_currency", f"The report is in {one.currency[:3]}; our books are in {currency}.", field="file")  # fmt: skip
        if one.minor is not None and one.minor != payment.amount_minor:
            raise RuleBroken("wrong_amount", f"The report has another amount for {one.end_to_end_id} than our file.", field="file")  # fmt: skip
        told[one.end_to_end_id] = one
    whole = report.status == REJECTED
    refused = []
    for end_to_end_id, payment in payments.items():
        of_one = told.get(end_to_end_id)
        if payment.refused_on is not None or not (whole or (of_one is not None and of_one.status == REJECTED)):
            continue
        if payment.settled_on is not None:
            raise RuleBroken("paid_already", f"The report refuses {end_to_end_id}, which a bank statement shows as paid. Ask the bank.", field="file")  # fmt: skip
        code, words = (of_one.code, of_one.words) if of_one is not None and of_one.code else (report.code, report.words)
        refused.append(Refused(payment, code, words, report.reference or report.message_id))
    return refused


def _tell_of_file(
    session: Session, run: PayoutRun, report: StatusReport, refused: Sequence[Refused], *, by: int, at: datetime
) -> None:
    if report.status == REJECTED and refused:
        sending.bank_told(session, run, accepted=False, reason=f"The bank refused the whole file. {report.words}".strip(), by=by, at=at)  # fmt: skip
    elif report.status in ACCEPTED or any(one.status in ACCEPTED for one in report.payments):
        sending.bank_told(session, run, accepted=True, reason="The bank's report says so.", by=by, at=at)


def _reason(report: StatusReport, count: int) -> str:
    if report.status == REJECTED:
        return "the whole file was refused"
    return f"{count} payment{'' if count == 1 else 's'} refused" if count else "accepted"

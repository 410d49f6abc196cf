"""Pay the makers: gather what each has earned, have a second person approve, store the bank file, then let it go."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from coop import jobs, keys
from coop.audit import service as audit
from coop.catalog import service as catalog
from coop.catalog.models import BankDetails
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import Entry, artisan_party, payment_party
from coop.core.payout import Settlement, payout_sent, payout_settled, settle
from coop.core.season import local_day
from coop.db import Db
from coop.formats.pain import Payer, Transfer, write_pain001
from coop.jobs import Lease
from coop.ledger import service as ledger
from coop.payouts.models import BankFile, Payment, PayoutRun, Statement, StatementLine
from coop.people import service as people
from coop.policy import service as policy


def request_payouts(db: Db, *, through: date, by: int, at: datetime, key: str = "") -> int:
    """Ask the worker to gather what makers earned up to a day; return the run's id.

    Raises `future_date` or `run_open`.
    """
    with db.begin() as session:
        if key and (spent := keys.spend(session, by=by, key=key, body={"through": through})) is not None:
            return spent
        agreed = policy.all_current(session, at=at)
        if through > local_day(at, agreed["zone"]):
            raise RuleBroken(
                "future_date", "A payout covers days that are over. Choose today or earlier.", field="through"
            )
        session.execute(text("LOCK TABLE payout_run IN SHARE ROW EXCLUSIVE MODE"))
        if session.scalar(select(PayoutRun.id).where(PayoutRun.state.in_(("requested", "computed", "approved")))):
            raise RuleBroken("run_open", "Another payout is under way. Finish or cancel it first.")
        run = PayoutRun(
            through=through,
            minimum_minor=agreed["payout_minimum_minor"],
            state="requested",
            requested_by=by,
            requested_at=at,
        )
        session.add(run)
        session.flush()
        jobs.request(session, jobs.COMPUTE_PAYOUTS, run.id)
        audit.record(
            session, "request_payouts", by=by, subject=("payout_run", run.id), detail={"through": str(through)}
        )
        if key:
            keys.answer(session, by=by, key=key, row_id=run.id)
        return run.id


def carry_out(db: Db, lease: Lease, *, at: datetime) -> None:
    """Put what each maker has earned and was not paid on a numbered statement. Repeating it changes nothing."""
    with db.begin() as session:
        jobs.finish(session, lease)
        run = session.get_one(PayoutRun, lease.row_id, with_for_update=True)
        if run.state != "requested":
            return
        paid = [maker for maker in _unpaid(session, run.through) if _pays(maker, run.minimum_minor)]
        if not paid:
            run.state, run.failure = "cancelled", "Nobody is owed enough to be paid."
            return
        series = f"{run.through.year}"
        last = (
            session.scalar(text("SELECT coalesce(max(number), 0) FROM statement WHERE series = :s"), {"s": series}) or 0
        )
        statements = [
            Statement(
                run_id=run.id,
                artisan_id=maker.artisan_id,
                series=series,
                number=number,
                sold_minor=maker.sold,
                fee_minor=maker.fee,
                tax_minor=maker.tax,
                earned_minor=maker.earned,
                payable_minor=maker.earned,
            )
            for number, maker in enumerate(paid, last + 1)
        ]
        session.add_all(statements)
        session.flush()
        session.add_all(
            Payment(
                statement_id=statement.id,
                bank_details_id=maker.bank_details_id,
                amount_minor=statement.payable_minor,
                end_to_end_id=f"SB{run.id}N{statement.number}",
            )
            for statement, maker in zip(statements, paid, strict=True)
        )
        session.execute(_TAKE_LINES, {"run": run.id, "through": run.through})
        run.state, run.computed_at = "computed", at
        audit.record(session, "compute_payouts", by=0, subject=("payout_run", run.id), detail={"statements": len(paid)})


def fail(session: Session, run_id: int, why: str) -> None:
    """Mark a run that its worker had to give up, with the reason in plain words."""
    run = _locked_run(session, run_id)
    if run.state == "requested":
        run.state, run.failure = "failed", why


def approve(db: Db, run_id: int, *, by: int, at: datetime) -> None:
    """Agree, as a second person, that a computed run is paid. Raises `second_person`, `own_workshop` or `too_late`."""
    with db.begin() as session:
        run = _locked_run(session, run_id)
        if run.state == "approved" and run.approved_by == by:
            return
        _must_be(run, "computed", "Only a run that is computed and not yet approved can be approved.")
        if run.requested_by == by:
            raise RuleBroken("second_person", "A second person approves: not the one who asked for this payout.")
        if session.execute(_PAYS_OWN_WORKSHOP, {"run": run_id, "person": by}).first():
            raise RuleBroken("own_workshop", "This run pays a workshop you belong to, so somebody else approves it.")
        run.state, run.approved_by, run.approved_at = "approved", by, at
        audit.record(session, "approve_payouts", by=by, subject=("payout_run", run_id))


def make_file(db: Db, run_id: int, *, by: int, at: datetime, field_key: bytes) -> str:
    """Store the bank file of an approved run, put its money in transit, and return the file's SHA-256.

    Made once: asking again returns the digest of the same bytes. Raises `not_approved`, `no_bank_account`.
    """
    with db.begin() as session:
        run = _locked_run(session, run_id)
        if run.file_made_at is not None:
            return session.get_one(BankFile, run_id).sha256
        _must_be(run, "approved", "The bank file is made once a second person has approved the run.")
        agreed = policy.all_current(session, at=at)
        if not agreed["coop_iban"]:
            raise RuleBroken("no_bank_account", "The co-op's own bank account is not set yet. Add it in the settings.")
        payments = _payments(session, run_id)
        message_id = f"SB{run_id}R{at:%Y%m%d%H%M%S}"
        content = write_pain001(
            message_id=message_id,
            created_at=at,
            execute_on=local_day(at, agreed["zone"]),
            payer=Payer(agreed["coop_name"], agreed["coop_iban"]),
            currency=agreed["currency"],
            transfers=[
                Transfer(
                    payment.end_to_end_id,
                    details.holder,
                    catalog.unseal_iban(details.iban_sealed, field_key),
                    payment.amount_minor,
                    f"Statement {statement.series}-{statement.number}",
                )
                for payment, statement, details in payments
            ],
        )
        sha256 = hashlib.sha256(content).hexdigest()
        session.add(BankFile(run_id=run_id, message_id=message_id, bytes=content, sha256=sha256, made_at=at))
        _put_in_transit(
            session, run_id, payments, day=local_day(at, agreed["zone"]), by=by, currency=agreed["currency"]
        )
        _tell_makers(session, run, payments)
        run.state, run.file_made_at = "file_made", at
        audit.record(session, "make_bank_file", by=by, subject=("payout_run", run_id), detail={"sha256": sha256})
        return sha256


def cancel(db: Db, run_id: int, *, by: int, reason: str) -> None:
    """Call a run off before its bank file is made; what was on its statements is unpaid again."""
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why the run is called off.", field="reason")
    with db.begin() as session:
        run = _locked_run(session, run_id)
        if run.state == "cancelled":
            return
        if run.state not in {"requested", "computed", "approved", "failed"}:
            raise RuleBroken("too_late", "Its bank file is made, so it can no longer be called off.")
        run.state = "cancelled"
        session.execute(
            update(StatementLine)
            .where(StatementLine.statement_id.in_(select(Statement.id).where(Statement.run_id == run_id)))
            .values(live=False)
        )
        audit.record(
            session, "cancel_payouts", by=by, subject=("payout_run", run_id), detail={"reason": reason.strip()}
        )


class Confirmed(NamedTuple):
    """A payment that the bank says has left: its end-to-end id, the amount and day, and the key of the bank line."""

    end_to_end_id: str
    amount_minor: int
    booked_on: date
    key: str


def settle_confirmed(
    session: Session, confirmed: Sequence[Confirmed], *, by: int, at: datetime, currency: str
) -> dict[str, int]:
    """Book payments that the bank confirms; return the entries by end-to-end id. Unknown or different ones are left out."""
    waiting = {
        payment.end_to_end_id: payment
        for payment in session.scalars(
            select(Payment)
            .where(
                Payment.end_to_end_id.in_([line.end_to_end_id for line in confirmed]),
                Payment.sent_entry_id.is_not(None),
                Payment.settled_on.is_(None),
            )
            .order_by(Payment.id)
            .with_for_update()
        )
    }
    lines = [
        line
        for line in confirmed
        if line.end_to_end_id in waiting and waiting[line.end_to_end_id].amount_minor == line.amount_minor
    ]
    entries = [
        Entry(
            line.key,
            "payout_settled",
            line.booked_on,
            payout_settled(payment_party(waiting[line.end_to_end_id].id), line.amount_minor),
        )
        for line in lines
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for line, entry_id in zip(lines, entry_ids, strict=True):
        payment = waiting[line.end_to_end_id]
        payment.settled_on, payment.settled_entry_id = line.booked_on, entry_id
    session.flush()
    session.execute(_MARK_SETTLED, {"at": at})
    return {line.end_to_end_id: entry_id for line, entry_id in zip(lines, entry_ids, strict=True)}


class _Maker(NamedTuple):
    artisan_id: int
    earned: int
    sold: int
    fee: int
    tax: int
    bank_details_id: int | None


# what stands on makers' accounts and on no live statement; a payout's own debit is no earning
_OPEN_POSTINGS = """
  FROM posting p
  JOIN account a ON a.id = p.account_id AND a.code = 2100
  JOIN entry e ON e.id = p.entry_id AND e.kind <> 'payout' AND e.business_date <= :through
 WHERE NOT EXISTS (SELECT FROM statement_line s WHERE s.entry_id = p.entry_id AND s.n = p.n AND s.live)
"""

_UNPAID = text(f"""
WITH open AS (SELECT p.entry_id, p.line_id, p.amount, substr(a.party, 9)::bigint AS artisan_id {_OPEN_POSTINGS})
SELECT o.artisan_id, -sum(o.amount)::bigint AS earned, coalesce(sum(hl.pieces * l.unit_minor), 0)::bigint AS sold,
       coalesce(sum(hl.fee_minor), 0)::bigint AS fee, coalesce(sum(hl.tax_minor), 0)::bigint AS tax,
       (SELECT b.id FROM bank_details b WHERE b.artisan_id = o.artisan_id ORDER BY b.id DESC LIMIT 1) AS bank_details_id
  FROM open o
  LEFT JOIN hand_over h ON h.entry_id = o.entry_id
  LEFT JOIN hand_over_line hl ON hl.hand_over_id = h.id AND hl.line_id = o.line_id
  LEFT JOIN order_line l ON l.id = o.line_id
 GROUP BY o.artisan_id ORDER BY (SELECT name FROM artisan WHERE id = o.artisan_id)
""")  # noqa: S608 - put together from the text above only

_TAKE_LINES = text(f"""
INSERT INTO statement_line (statement_id, entry_id, n, amount_minor)
SELECT t.id, o.entry_id, o.n, o.amount
  FROM (SELECT p.entry_id, p.n, -p.amount AS amount, substr(a.party, 9)::bigint AS artisan_id {_OPEN_POSTINGS}) o
  JOIN statement t ON t.run_id = :run AND t.artisan_id = o.artisan_id
 ORDER BY t.id, o.entry_id, o.n
""")  # noqa: S608 - as above

_PAYS_OWN_WORKSHOP = text("""
SELECT 1 FROM role_grant g JOIN statement s ON s.artisan_id = g.artisan_id
 WHERE s.run_id = :run AND g.person_id = :person AND g.ended_at IS NULL LIMIT 1
""")

_MARK_SETTLED = text("""
UPDATE payout_run r SET state = 'settled', settled_at = :at WHERE r.state = 'file_made' AND NOT EXISTS (
  SELECT FROM payment p JOIN statement s ON s.id = p.statement_id WHERE s.run_id = r.id AND p.settled_on IS NULL)
""")


def is_something_unpaid(session: Session, through: date, *, at: datetime) -> bool:
    """Tell whether a run through this day would pay anybody."""
    minimum = policy.current(session, "payout_minimum_minor", at=at)
    return any(_pays(maker, minimum) for maker in _unpaid(session, through))


def _unpaid(session: Session, through: date) -> list[_Maker]:
    return [_Maker(*row) for row in session.execute(_UNPAID, {"through": through})]


def _pays(maker: _Maker, minimum: int) -> bool:
    """Tell whether a maker is paid now: enough is owed, and there is an account to pay it to."""
    if maker.earned <= 0 or maker.bank_details_id is None:
        return False
    return settle(maker.earned, minimum=minimum).sent > 0


def _locked_run(session: Session, run_id: int) -> PayoutRun:
    run = session.get(PayoutRun, run_id, with_for_update=True)
    if run is None:
        raise NotFound("There is no such payout run.")
    return run


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
                Settlement(0, 0, sent=payment.amount_minor, kept=0, reason="sent"),
            ),
        )
        for payment, statement, _ in payments
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (payment, _, _), entry_id in zip(payments, entry_ids, strict=True):
        payment.sent_entry_id = entry_id


def _tell_makers(session: Session, run: PayoutRun, payments: Sequence[tuple[Payment, Statement, BankDetails]]) -> None:
    for payment, statement, _ in payments:
        values = {
            "amount_minor": payment.amount_minor,
            "through": run.through.isoformat(),
            "statement": f"{statement.series}/{statement.number}",
        }
        people.tell_artisan(session, f"payout:{payment.id}", "payout_sent", statement.artisan_id, values)

"""What the bank says of payments: which have left and which came back, from its statements or noted by hand."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.bank_reasons import reason_words
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, Posting, artisan_party, payment_party
from coop.core.payout import payout_rejected, payout_returned, payout_settled
from coop.db import Db, locked
from coop.ledger import service as ledger
from coop.payouts import service as payouts
from coop.payouts.models import WITH_THE_BANK, Payment, PayoutRun, Statement
from coop.policy import service as policy
from coop.transfers import service as transfers


def confirm(db: Db, payment_id: int, *, on: date, by: int, at: datetime, key: str) -> int:
    """Note by hand that the bank sent a payment; return the entry. Raises `payout_not_in_transit`."""
    with db.begin() as session:
        body = {"act": "payout_settled", "payment": payment_id, "on": on.isoformat()}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment, _ = _in_transit(session, payment_id)
        postings = payout_settled(payment_party(payment_id), payment.amount_minor)
        entry_id = _book(session, "payout_settled", f"bank:hand:settled:{payment_id}", on, postings, by=by, at=at)
        payment.settled_on, payment.settled_entry_id = on, entry_id
        _mark_runs(session, by=by, at=at)
        return _noted(session, body, entry_id, by=by, key=key)


def take_back(
    db: Db,
    payment_id: int,
    *,
    bank_fee: int = 0,
    reason_code: str = "",
    on: date,
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Note by hand that a settled payment came back: it is owed again, the bank's charge is the co-op's.

    Raises `payout_not_settled`.
    """
    with db.begin() as session:
        body = {"act": "payout_returned", "payment": payment_id, "bank_fee": bank_fee, "on": on.isoformat()}
        body |= {"code": reason_code} if reason_code else {}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment, statement = _locked_payment(session, payment_id)
        if payment.settled_on is None or payment.returned_on is not None:
            raise RuleBroken(
                "payout_not_settled", "Only a payment that the bank has sent can come back, and only once."
            )
        postings = payout_returned(artisan_party(statement.artisan_id), payment.amount_minor, bank_fee=bank_fee)
        entry_id = _book(session, "payout_returned", f"ret:{payment_id}:hand", on, postings, by=by, at=at)
        payment.returned_on, payment.returned_entry_id, payment.reason_code = on, entry_id, reason_code
        transfers.tell_maker(session, "payout_returned", payment, statement, reason=reason_words(reason_code))
        run = payouts.locked_run(session, statement.run_id)
        _reopen(run)
        return _noted(session, body, entry_id, by=by, key=key)


def refuse(db: Db, payment_id: int, *, reason_code: str, on: date, by: int, at: datetime, key: str) -> int:
    """Note by hand that the bank refused a payment before any money moved: it is owed again; return the entry.

    Raises `payout_not_in_transit`.
    """
    with db.begin() as session:
        body = {"act": "payout_refused", "payment": payment_id, "code": reason_code, "on": on.isoformat()}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment, _ = _in_transit(session, payment_id)
        currency = policy.current(session, "currency", at=at)
        take_refused(session, [Refused(payment, reason_code, "", "hand")], on=on, by=by, at=at, currency=currency)
        assert payment.refused_entry_id is not None
        return _noted(session, body, payment.refused_entry_id, by=by, key=key)


class Confirmed(NamedTuple):
    """What the bank says of a payment: its end-to-end id, the amount and day, the key of the bank's line, and its words."""

    end_to_end_id: str
    amount_minor: int
    booked_on: date
    key: str
    words: str = ""
    reason_code: str = ""


class Refused(NamedTuple):
    """A payment that the bank refused, the code of its reason, its words, and the reference of where it says so."""

    payment: Payment
    code: str
    words: str
    reference: str


def settle_confirmed(
    session: Session, confirmed: Sequence[Confirmed], *, by: int, at: datetime, currency: str
) -> dict[str, int]:
    """Book payments that the bank says have left; return the entries by the bank's key. Unknown or different ones are left out."""
    waiting = (Payment.sent_entry_id.is_not(None), Payment.settled_on.is_(None), Payment.refused_on.is_(None))
    lines = _matched(session, confirmed, *waiting)
    entries = [
        Entry(line.key, "payout_settled", line.booked_on, payout_settled(payment_party(payment.id), line.amount_minor))
        for line, payment in lines
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (line, payment), entry_id in zip(lines, entry_ids, strict=True):
        payment.settled_on, payment.settled_entry_id = line.booked_on, entry_id
    _mark_runs(session, by=by, at=at)
    return {line.key: entry_id for (line, _), entry_id in zip(lines, entry_ids, strict=True)}


def take_back_returned(session: Session, returned: Sequence[Confirmed], *, by: int, currency: str) -> dict[str, int]:
    """Owe makers again what the bank sent back after it had left; return the entries by the bank's key."""
    lines = _matched(session, returned, Payment.settled_on.is_not(None), Payment.returned_on.is_(None))
    makers = {payment.id: session.get_one(Statement, payment.statement_id) for _, payment in lines}
    entries = [
        Entry(
            f"ret:{payment.id}:{line.key}",
            "payout_returned",
            line.booked_on,
            payout_returned(artisan_party(makers[payment.id].artisan_id), line.amount_minor),
        )
        for line, payment in lines
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (line, payment), entry_id in zip(lines, entry_ids, strict=True):
        payment.returned_on, payment.returned_entry_id = line.booked_on, entry_id
        payment.reason_code, maker = line.reason_code, makers[payment.id]
        reason = reason_words(line.reason_code, line.words) if line.reason_code else line.words
        transfers.tell_maker(session, "payout_returned", payment, maker, reason=reason)
        run = session.get_one(PayoutRun, maker.run_id, with_for_update=True)
        _reopen(run)
    return {line.key: entry_id for (line, _), entry_id in zip(lines, entry_ids, strict=True)}


def take_refused(
    session: Session, refused: Sequence[Refused], *, on: date, by: int, at: datetime, currency: str
) -> int:
    """Owe makers again what the bank refused to pay, and tell them why; return how many payments that are."""
    makers = [session.get_one(Statement, payment.statement_id) for payment, *_ in refused]
    entries = [
        Entry(
            f"rjct:{one.payment.id}:{one.reference}",
            "payout_rejected",
            on,
            payout_rejected(artisan_party(maker.artisan_id), payment_party(one.payment.id), one.payment.amount_minor),
        )
        for one, maker in zip(refused, makers, strict=True)
    ]
    entry_ids = ledger.post_all(session, entries, by=by, currency=currency)
    for (payment, code, words, _), maker, entry_id in zip(refused, makers, entry_ids, strict=True):
        payment.refused_on, payment.refused_entry_id, payment.reason_code = on, entry_id, code
        transfers.tell_maker(session, "payout_refused", payment, maker, reason=reason_words(code, words))
    _mark_runs(session, by=by, at=at)
    return len(entries)


def _matched(
    session: Session, lines: Sequence[Confirmed], *waiting: ColumnElement[bool]
) -> list[tuple[Confirmed, Payment]]:
    """Pair the bank's lines with payments by id and amount; of two lines for one payment only the first is paired."""
    ids = [line.end_to_end_id for line in lines]
    found = select(Payment).where(Payment.end_to_end_id.in_(ids), *waiting).order_by(Payment.id).with_for_update()
    payments = {payment.end_to_end_id: payment for payment in session.scalars(found)}
    pairs = []
    for line in lines:
        payment = payments.get(line.end_to_end_id)
        if payment is not None and payment.amount_minor == line.amount_minor:
            pairs.append((line, payments.pop(line.end_to_end_id)))
    return pairs


def _in_transit(session: Session, payment_id: int) -> tuple[Payment, Statement]:
    payment, statement = _locked_payment(session, payment_id)
    if payment.sent_entry_id is None or payment.settled_on is not None or payment.refused_on is not None:
        raise RuleBroken(
            "payout_not_in_transit",
            "This payment is not on its way: it was not sent, it is settled, or it was refused.",
        )
    return payment, statement


def _locked_payment(session: Session, payment_id: int) -> tuple[Payment, Statement]:
    payment = locked(session, Payment, payment_id, called="payment")
    return payment, session.get_one(Statement, payment.statement_id)


def _book(
    session: Session, kind: str, key: str, on: date, postings: tuple[Posting, ...], *, by: int, at: datetime
) -> int:
    currency = policy.current(session, "currency", at=at)
    return ledger.post(session, Entry(key, kind, on, postings), by=by, currency=currency)


def _noted(session: Session, body: dict[str, Any], entry_id: int, *, by: int, key: str) -> int:
    audit.record(session, body["act"], by=by, subject=("payment", body["payment"]), detail=body)
    keys.answer(session, by=by, key=key, row_id=entry_id)
    return entry_id


def _reopen(run: PayoutRun) -> None:
    if run.state in {"settled", "closed"}:
        run.state = "partly_returned"


def _mark_runs(session: Session, *, by: int, at: datetime) -> None:
    """Let the runs follow their payments: the bank has the file of which it paid any, and a run is settled with its last payment."""
    session.flush()
    told = {"by": by, "at": at, "with_the_bank": list(WITH_THE_BANK)}
    session.execute(_MARK_ACCEPTED, told)
    session.execute(_MARK_SUBMITTED, told)
    for run_id in session.scalars(_MARK_SETTLED, told).all():
        audit.record(session, "payments_done", by=by, subject=("payout_run", run_id))


_PAID_SOME = "EXISTS (SELECT FROM payment p JOIN statement s ON s.id = p.statement_id WHERE s.run_id = r.id AND p.settled_on IS NOT NULL)"
_MARK_ACCEPTED = text(f"""
UPDATE payout_submission u SET outcome = 'accepted', reason = 'The bank has paid from it.', ended_by = :by, ended_at = :at
  FROM payout_run r WHERE r.id = u.run_id AND u.outcome IS NULL AND {_PAID_SOME}
""")  # noqa: S608 - put together from constants only
_MARK_SUBMITTED = text(f"""
UPDATE payout_run r SET state = 'submitted', failure = NULL WHERE r.state = ANY(:with_the_bank) AND r.state <> 'submitted' AND {_PAID_SOME}
""")  # noqa: S608 - as above
_MARK_SETTLED = text("""
UPDATE payout_run r SET settled_at = :at, state = CASE WHEN EXISTS (
    SELECT FROM payment p JOIN statement s ON s.id = p.statement_id WHERE s.run_id = r.id AND (p.returned_on IS NOT NULL OR p.refused_on IS NOT NULL))
  THEN 'partly_returned' ELSE 'settled' END
 WHERE r.state = ANY(:with_the_bank) AND NOT EXISTS (
  SELECT FROM payment p JOIN statement s ON s.id = p.statement_id WHERE s.run_id = r.id AND p.settled_on IS NULL AND p.refused_on IS NULL)
RETURNING r.id
""")

"""Record a payment for its household: as a treasurer says, or as is suggested for a receipt that nobody knew."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.dividend import capital_paid_in, given_to_reserve
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import BANK, HARDSHIP_FUND, UNIDENTIFIED_RECEIPTS, Entry, Posting, credit_paid_in, household_party
from coop.core.money import format_minor, minor_exponent
from coop.core.season import local_day
from coop.db import Db
from coop.incoming.models import RecordedPayment
from coop.instalments import service as instalments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.receipts import queries as receipts
from coop.receipts.service import remember

MOST_BY_HAND_MINOR = 100_000_000


def record_payment(
    db: Db,
    household_id: int,
    *,
    amount_minor: int,
    received_on: date,
    reference: str,
    by: int,
    at: datetime,
    key: str,
    share_id: int | None = None,
    purpose: str = "credit",
) -> int:
    """Record money that arrived for a household: for its season share, as credit, as capital, or as a gift to fund or reserve.

    Raises `bad_amount`, `future_date`, `period_closed` or `duplicate_reference`.
    """
    with db.begin() as session:
        body = {
            "act": "record_payment",
            "household": household_id,
            "minor": amount_minor,
            "on": received_on,
            "ref": reference,
            "share": share_id,
        } | ({"purpose": purpose} if purpose != "credit" else {})
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        payment_id = _record(
            session,
            household_id,
            purpose=purpose,
            share_id=share_id,
            amount_minor=amount_minor,
            received_on=received_on,
            reference=reference,
            by=by,
            at=at,
        )
        keys.answer(session, by=by, key=key, row_id=payment_id)
        return payment_id


def confirm_suggestion(db: Db, line_id: int, *, household_id: int, by: int, at: datetime, key: str) -> int:
    """Record a receipt that nobody knew for the household that is suggested for it; return the payment.

    Raises `inputs_changed` where another is suggested by now, or the receipt is known.
    """
    with db.begin() as session:
        body = {"act": "confirm_suggestion", "line": line_id, "household": household_id}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        line = session.execute(_LINE, {"id": line_id}).first()
        if line is None:
            raise NotFound("There is no such line on a bank statement.")
        asked = receipts.Asked(line.id, line.name, line.payer_hash, line.amount_minor)
        found = receipts.suggestions(session, [asked]).get(line_id)
        waits = session.execute(_UNIDENTIFIED, {"ref": line.reference, "minor": line.amount_minor}).first()
        if waits is None or found is None or found.household_id != household_id:
            raise RuleBroken("inputs_changed", "This receipt is looked at differently by now. Load the page again.")
        payment_id = _record(
            session,
            household_id,
            share_id=found.share_id,
            amount_minor=line.amount_minor,
            received_on=line.booked_on,
            reference=line.reference,
            by=by,
            at=at,
        )
        keys.answer(session, by=by, key=key, row_id=payment_id)
        return payment_id


class Part(NamedTuple):
    """A household's part of a receipt, for its `share`, as `credit`, as a `gift` to the hardship fund, as `capital`, or for the `reserve`."""

    household_id: int
    purpose: str
    minor: int


def split_receipt(db: Db, line_id: int, parts: Sequence[Part], *, by: int, at: datetime, key: str) -> int:
    """Record a receipt that nobody knew for several households or purposes, whole; return how many payments.

    Raises `does_not_add_up`, `bad_amount`, `no_share`, and `inputs_changed` where the receipt is known by now.
    """
    with db.begin() as session:
        body = {"act": "split_receipt", "line": line_id, "parts": [list(part) for part in parts]}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        session.execute(text("LOCK TABLE recorded_payment IN SHARE ROW EXCLUSIVE MODE"))
        line = session.execute(_LINE, {"id": line_id}).first()
        if line is None:
            raise NotFound("There is no such line on a bank statement.")
        if session.execute(_UNIDENTIFIED, {"ref": line.reference, "minor": line.amount_minor}).first() is None:
            raise RuleBroken("inputs_changed", "This receipt is looked at differently by now. Load the page again.")
        if any(part.minor <= 0 for part in parts):
            raise RuleBroken("bad_amount", "Each part is an amount above 0.")
        _refuse_sum(session, line.amount_minor, sum(part.minor for part in parts), at=at)
        for household_id in sorted({part.household_id for part in parts}):
            people.lock_household(session, household_id)
        for n, part in enumerate(parts, 1):
            share_id = _share_of(session, part) if part.purpose == "share" else None
            told: dict[str, Any] = {"amount_minor": part.minor, "received_on": line.booked_on, "line_id": line_id}
            reference = line.reference if len(parts) == 1 else f"{line.reference} ({n} of {len(parts)})"
            _note(
                session,
                part.household_id,
                purpose=part.purpose,
                share_id=share_id,
                reference=reference,
                by=by,
                at=at,
                **told,
            )
        _resolve(session, line, line.booked_on, by=by, currency=policy.current(session, "currency", at=at))
        keys.answer(session, by=by, key=key, row_id=len(parts))
        return len(parts)


def _record(
    session: Session,
    household_id: int,
    *,
    purpose: str = "credit",
    share_id: int | None,
    amount_minor: int,
    received_on: date,
    reference: str,
    by: int,
    at: datetime,
) -> int:
    session.execute(text("LOCK TABLE recorded_payment IN SHARE ROW EXCLUSIVE MODE"))
    agreed = policy.all_current(session, at=at)
    _check_payment(session, amount_minor, received_on, reference, today=local_day(at, agreed["zone"]))
    people.lock_household(session, household_id)
    line = session.execute(_UNIDENTIFIED, {"ref": reference, "minor": amount_minor}).first()
    told: dict[str, Any] = {"amount_minor": amount_minor, "received_on": received_on, "reference": reference}
    purpose = "share" if share_id is not None else purpose
    line_id = None if line is None else line.id
    payment_id = _note(session, household_id, purpose=purpose, share_id=share_id, line_id=line_id, by=by, at=at, **told)
    if line is not None:
        _resolve(session, line, received_on, by=by, currency=agreed["currency"])
        if line.payer_hash:
            remember(session, [(line.payer_hash, household_id, received_on)])
    return payment_id


def _note(
    session: Session,
    household_id: int,
    *,
    purpose: str,
    share_id: int | None,
    amount_minor: int,
    received_on: date,
    reference: str,
    line_id: int | None,
    by: int,
    at: datetime,
) -> int:
    """Book what a household paid as money in the bank, and write down what it was for."""
    entry_key, party = f"bank:hand:{reference}", household_party(household_id)
    if share_id is not None:
        entry_id = instalments.share_paid(
            session, share_id, amount_minor, household_id=household_id, on=received_on, key=entry_key, by=by, at=at
        )
    else:
        kind, paid = _paid_in(purpose, party, amount_minor)
        currency = policy.current(session, "currency", at=at)
        entry_id = ledger.post(session, Entry(entry_key, kind, received_on, paid), by=by, currency=currency)
    payment = RecordedPayment(
        household_id=household_id,
        share_id=share_id,
        purpose=purpose,
        amount_minor=amount_minor,
        received_on=received_on,
        reference=reference,
        line_id=line_id,
        entry_id=entry_id,
        recorded_by=by,
        recorded_at=at,
    )
    session.add(payment)
    session.flush()
    audit.record(session, "record_payment", by=by, subject=("household", household_id), detail={"payment": payment.id})
    return payment.id


def _paid_in(purpose: str, party: str, minor: int) -> tuple[str, tuple[Posting, ...]]:
    """Return the kind of entry and the postings of money that is for no season share."""
    if purpose == "gift":
        return "gift_received", (Posting(BANK, "", minor), Posting(HARDSHIP_FUND, "", -minor))
    if purpose == "capital":
        return "capital_paid_in", capital_paid_in(party, minor)
    if purpose == "reserve":
        return "given_to_reserve", given_to_reserve(minor)
    return "top_up", credit_paid_in({party: minor})


def _check_payment(session: Session, amount_minor: int, received_on: date, reference: str, *, today: date) -> None:
    if not 0 < amount_minor <= MOST_BY_HAND_MINOR:
        raise RuleBroken("bad_amount", "Enter an amount above 0 and at most 1,000,000.00.", field="amount")
    if received_on > today:
        raise RuleBroken(
            "future_date", "A payment is recorded once it has arrived: today or earlier.", field="received_on"
        )
    if session.scalar(select(RecordedPayment.id).where(RecordedPayment.reference == reference)):
        raise RuleBroken(
            "duplicate_reference",
            "A payment with this reference is recorded already. Check whether it is the same one.",
            field="reference",
        )


def _refuse_sum(session: Session, minor: int, told: int, *, at: datetime) -> None:
    if told == minor:
        return
    currency = policy.current(session, "currency", at=at)
    exponent = minor_exponent(currency)
    came, parts, gap = (format_minor(one, exponent) for one in (minor, told, abs(minor - told)))
    more = "too much" if told > minor else "missing"
    raise RuleBroken("does_not_add_up", f"{came} {currency} came in and the parts make {parts}: {gap} is {more}.")


def _share_of(session: Session, part: Part) -> int:
    """Return the share that a part pays for: the household's first that is still to be paid."""
    share_id: int | None = session.scalar(_SHARE, {"household": part.household_id})
    if share_id is None:
        raise RuleBroken("no_share", "One of these households has no season share to pay for: record it as credit.")
    return share_id


def _resolve(session: Session, line: Any, on: date, *, by: int, currency: str) -> None:
    """Take from the receipts that nobody knew what a bank statement brought in before, and is booked for its household now."""
    known = Posting(UNIDENTIFIED_RECEIPTS, "", line.amount_minor), Posting(BANK, "", -line.amount_minor)
    entry = Entry(f"resolve:{line.id}", "receipt_identified", on, known)
    ledger.post(session, entry, by=by, currency=currency)


_SHARE = text("""
SELECT min(s.id) FROM season_share s JOIN instalment i ON i.share_id = s.id AND i.released_at IS NULL
 WHERE s.household_id = :household AND s.ended_at IS NULL
""")

_UNIDENTIFIED = text("""
SELECT b.id, b.payer_hash, b.amount_minor FROM bank_line b JOIN entry e ON e.id = b.entry_id AND e.kind = 'unidentified_receipt'
 WHERE b.reference = :ref AND b.amount_minor = :minor AND NOT EXISTS (SELECT FROM entry r WHERE r.key = 'resolve:' || b.id)
""")

_LINE = text("SELECT id, reference, amount_minor, booked_on, name, payer_hash FROM bank_line WHERE id = :id FOR UPDATE")

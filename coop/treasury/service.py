"""The treasurer's own acts: each one entry, booked once under the key of its form.

What a sale, a payout or a bank line books belongs to them; here stand the acts that are decided by a person.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog.models import Artisan
from coop.core import dealings
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    MEMBER_CREDIT,
    SUPPLIERS,
    Entry,
    Posting,
    artisan_party,
    household_party,
    supplier_party,
)
from coop.core.money import AMOUNT_LIMIT, format_minor, minor_exponent
from coop.core.season import local_day
from coop.db import Db
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy


def give_to_fund(db: Db, household_id: int, minor: int, *, by: int, at: datetime, key: str) -> int:
    """Move a household's credit to the hardship fund. Raises `insufficient_credit`."""
    return _of_household(db, "gift", household_id, minor, dealings.gift_given, spends=True, by=by, at=at, key=key)


def show_goodwill(db: Db, household_id: int, minor: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Give a household credit at the co-op's expense, and say why. Raises `reason_missing`."""
    memo = _reason(reason)
    return _of_household(
        db, "goodwill", household_id, minor, dealings.goodwill_shown, spends=False, memo=memo, by=by, at=at, key=key
    )


def refund_credit(db: Db, household_id: int, minor: int, *, by: int, at: datetime, key: str) -> int:
    """Send credit back to a household from the bank. Raises `insufficient_credit`."""
    return _of_household(
        db, "refund", household_id, minor, dealings.credit_refunded, spends=True, by=by, at=at, key=key
    )


def share_cost(
    db: Db, supplier: str, minor: int, *, among: Sequence[tuple[int, int]], by: int, at: datetime, key: str
) -> int:
    """Split a supplier's bill among households as (household, weight). Raises `insufficient_credit` and `no_weights`."""
    body = {"act": "shared_cost", "supplier": supplier, "minor": minor, "among": [list(part) for part in among]}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        _check_amount(minor)
        if len({household_id for household_id, _ in among}) < len(among):
            raise RuleBroken("same_line_twice", "A household stands twice in this list.", field="among")
        weights = {household_party(household_id): weight for household_id, weight in among}
        postings = dealings.cost_shared(supplier_party(supplier), minor, weights)
        for household_id, _ in sorted(among):
            people.lock_household(session, household_id)
        for code, party, amount, _ in postings:
            if code == MEMBER_CREDIT:
                _check_credit(session, party, amount, at=at)
        return _book(session, "shared_cost", postings, body=body, subject=("supplier", 0), by=by, at=at, key=key)


def pay_supplier(db: Db, supplier: str, minor: int, *, by: int, at: datetime, key: str) -> int:
    """Note that a supplier's bill was paid. Raises `more_than_owed`."""
    body = {"act": "supplier_paid", "supplier": supplier, "minor": minor}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        _check_amount(minor)
        party = supplier_party(supplier)
        if minor > -ledger.balance_of(session, SUPPLIERS, party):
            raise RuleBroken("more_than_owed", "This is more than this supplier's bills come to.", field="amount")
        postings = dealings.supplier_paid(party, minor)
        return _book(session, "supplier_paid", postings, body=body, subject=("supplier", 0), by=by, at=at, key=key)


def pay_advance(db: Db, artisan_id: int, minor: int, *, by: int, at: datetime, key: str) -> int:
    """Pay a maker before the batch; later payouts recoup it."""
    body = {"act": "advance", "artisan": artisan_id, "minor": minor}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        _check_amount(minor)
        if session.get(Artisan, artisan_id) is None:
            raise NotFound("There is no such maker.")
        postings = dealings.advance_paid(artisan_party(artisan_id), minor)
        return _book(session, "advance", postings, body=body, subject=("artisan", artisan_id), by=by, at=at, key=key)


def charge_back(db: Db, household_id: int, minor: int, *, bank_fee: int = 0, by: int, at: datetime, key: str) -> int:
    """Note that a provider took a household's payment back; what its credit does not cover it owes."""
    body = {"act": "chargeback", "household": household_id, "minor": minor, "bank_fee": bank_fee}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        _check_amount(minor)
        if bank_fee < 0:
            raise RuleBroken("must_be_positive", "The bank's charge is 0 or more.", field="bank_fee")
        people.lock_household(session, household_id)
        party = household_party(household_id)
        credit = -ledger.balance_of(session, MEMBER_CREDIT, party)
        postings = dealings.charged_back(party, minor, credit=credit, bank_fee=bank_fee)
        subject = ("household", household_id)
        return _book(session, "chargeback", postings, body=body, subject=subject, by=by, at=at, key=key)


def reverse(db: Db, entry_id: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Undo an entry of the treasurer's own acts by its exact mirror, once.

    Raises `already_reversed`, `not_reversible` where other rows speak of the entry, `reason_missing`, and
    `insufficient_credit` where its money has been spent since.
    """
    body = {"act": "reverse", "entry": entry_id, "reason": reason}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        memo = _reason(reason)
        if ledger.reversal_of(session, entry_id) is not None:
            raise RuleBroken("already_reversed", "This entry was reversed already.")
        entry = ledger.stored(session, entry_id)
        if entry.kind not in dealings.ALONE:
            raise RuleBroken("not_reversible", "This entry belongs to a sale or a payout: correct it there instead.")
        if session.scalar(text("SELECT true FROM bank_line WHERE entry_id = :entry"), {"entry": entry_id}):
            raise RuleBroken("not_reversible", "The bank has confirmed this: book what came of it instead.")
        if session.scalar(_BOUNCED, {"entry": entry_id}):
            raise RuleBroken("not_reversible", "The bank took this payment back, and that is booked already.")
        agreed = policy.all_current(session, at=at)
        on = local_day(at, agreed["zone"])
        reversal_id = ledger.mirror(session, entry_id, on=on, memo=memo, by=by, currency=agreed["currency"])
        audit.record(session, "reverse", by=by, subject=("entry", entry_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=reversal_id)
        return reversal_id


_BOUNCED = text("""
SELECT true FROM recorded_payment p JOIN entry e ON e.key = 'bounced:' || p.id
 WHERE p.entry_id = :entry AND NOT EXISTS (SELECT FROM entry r WHERE r.reverses_id = e.id)
""")


def _of_household(
    db: Db,
    kind: str,
    household_id: int,
    minor: int,
    postings: Callable[[str, int], tuple[Posting, ...]],
    *,
    spends: bool,
    memo: str = "",
    by: int,
    at: datetime,
    key: str,
) -> int:
    """Book an act between one household and the co-op; where it `spends` credit, the household has as much."""
    body = {"act": kind, "household": household_id, "minor": minor, "memo": memo}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        _check_amount(minor)
        people.lock_household(session, household_id)
        party = household_party(household_id)
        if spends:
            _check_credit(session, party, minor, at=at)
        subject = ("household", household_id)
        return _book(
            session, kind, postings(party, minor), body=body, subject=subject, memo=memo, by=by, at=at, key=key
        )


def _book(
    session: Session,
    kind: str,
    postings: tuple[Posting, ...],
    *,
    body: dict[str, Any],
    subject: tuple[str, int],
    memo: str = "",
    by: int,
    at: datetime,
    key: str,
) -> int:
    agreed = policy.all_current(session, at=at)
    day: date = local_day(at, agreed["zone"])
    entry = Entry(f"{kind}:{by}:{key}", kind, day, postings, memo)
    entry_id = ledger.post(session, entry, by=by, currency=agreed["currency"])
    audit.record(session, kind, by=by, subject=subject, detail=body | {"entry": entry_id})
    keys.answer(session, by=by, key=key, row_id=entry_id)
    return entry_id


def _check_amount(minor: int) -> None:
    if minor <= 0:
        raise RuleBroken("must_be_positive", "Give an amount above zero.", field="amount")
    if minor > AMOUNT_LIMIT:
        raise RuleBroken("too_large", "This is more than one entry can move.", field="amount")


def _check_credit(session: Session, party: str, minor: int, *, at: datetime) -> None:
    credit = -ledger.balance_of(session, MEMBER_CREDIT, party)
    if minor > credit:
        currency = policy.current(session, "currency", at=at)
        left = format_minor(credit, minor_exponent(currency))
        raise RuleBroken("insufficient_credit", f"There is {left} {currency} of credit; give at most that.", field="amount")  # fmt: skip


def _reason(reason: str) -> str:
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why, in a few words that stay in the books.", field="reason")
    return reason.strip()

"""Adopt a bylaw; propose what becomes of a result, let a second person decide, and pay the cash out."""

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.core.dividend import (
    Bylaw,
    Division,
    check_bylaw,
    divide,
    dividend_credited,
    dividend_sent,
    loss_covered,
    surplus_divided,
)
from coop.core.dividend import Part as DividedPart
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, Posting, household_payment_party
from coop.core.season import instant, local_day
from coop.db import Db, copy_rows, locked
from coop.dividends import queries
from coop.dividends.models import Dividend, DividendPart
from coop.dividends.queries import BYLAW
from coop.equity.service import Owed, new_payments
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.seconding import service as seconding


def adopt_bylaw(db: Db, bylaw: Bylaw, *, in_force_from: date, by: int, at: datetime) -> int:
    """Note a version of the bylaw and the day it is in force from; return its number.

    A co-op that begins to keep its books here notes a bylaw that is older; what a dividend was decided by stands.
    Raises what `check_bylaw` does, `already_divided` and `already_there`.
    """
    with db.begin() as session:
        session.execute(text("LOCK TABLE dividend IN SHARE ROW EXCLUSIVE MODE"))
        check_bylaw(bylaw, cash_minimum_bp=policy.current(session, "dividend_cash_minimum_bp", at=at))
        if queries.covers(session, in_force_from):
            raise RuleBroken("already_divided", "A dividend of that day is decided already. Choose a day after it.", field="in_force_from")  # fmt: skip
        known = queries.bylaws(session, at=at)
        if any(one.in_force_from == in_force_from for one in known):
            raise RuleBroken("already_there", "A bylaw is in force from that day already. Choose another day.", field="in_force_from")  # fmt: skip
        version = max((one.version for one in known), default=0) + 1
        begins = instant(in_force_from, time(0), policy.current(session, "zone", at=at))
        policy.settle(session, BYLAW, queries.stored_bylaw(bylaw, version), by=by, effective_from=begins)
        return version


def propose(db: Db, through: date, *, by: int, at: datetime) -> int:
    """Propose to divide the surplus of the closed months up to a day by the bylaw that was in force; return the dividend.

    Raises `not_closed`, `open_holds`, `no_bylaw`, `bylaw_changed`, `no_surplus`, `no_weights` and `decision_waits`.
    """
    with db.begin() as session:
        starts = _begins(session, through)
        if queries.holds_due(session, through):
            raise RuleBroken("open_holds", "Money is still held for pieces whose pickup day is past. Hand them over, or take them off, first.")  # fmt: skip
        row, division, outside = worked_out(session, starts, through, at=at)
        made = Dividend(
            starts=starts,
            ends=through,
            bylaw=queries.stored_bylaw(row.bylaw, row.version),
            bylaw_version=row.version,
            bylaw_from=row.in_force_from,
            result_minor=division.result,
            outside_minor=outside,
            from_outside_minor=division.from_outside,
            reserve_minor=division.reserve,
            other_minor=division.other,
            state="waiting",
            asked_by=by,
            asked_at=at,
        )
        session.add(made)
        session.flush()
        _keep_parts(session, made.id, division.parts)
        audit.record(session, "propose_dividend", by=by, subject=("dividend", made.id), detail=_told(made))
        return made.id


def worked_out(
    session: Session, starts: date, through: date, *, at: datetime
) -> tuple[queries.BylawRow, Division, int]:
    """Work out a dividend from the books, keeping nothing: the bylaw, the division, and what non-members bought."""
    row = queries.bylaw_over(session, starts, through, at=at)
    traded = queries.traded(session, starts, through, row.bylaw.patrons)
    result = queries.result_of(session, starts, through)
    return row, divide(result, row.bylaw, traded.members, traded.makers, outside=traded.outside), traded.outside


def propose_loss(db: Db, through: date, *, by: int, at: datetime) -> int:
    """Propose that the reserve bears the loss of the closed months up to a day. Raises `not_closed`, `no_loss` and `decision_waits`."""
    with db.begin() as session:
        starts = _begins(session, through)
        result = queries.result_of(session, starts, through)
        if result >= 0:
            raise RuleBroken("no_loss", "There is no loss: the result is nothing or a surplus.")
        made = Dividend(
            starts=starts,
            ends=through,
            bylaw={},
            bylaw_version=0,
            bylaw_from=starts,
            result_minor=result,
            outside_minor=0,
            from_outside_minor=0,
            reserve_minor=result,
            other_minor=0,
            state="waiting",
            asked_by=by,
            asked_at=at,
        )
        session.add(made)
        session.flush()
        audit.record(session, "propose_loss", by=by, subject=("dividend", made.id), detail=_told(made))
        return made.id


def approve(db: Db, dividend_id: int, *, by: int, at: datetime) -> int:
    """Let a proposal count, as a second person: it is booked today, and households and makers are told. Return the entry.

    Repeating it changes nothing. Raises `second_person` and `not_waiting`.
    """
    with db.begin() as session:
        made = locked(session, Dividend, dividend_id, called="dividend")
        if seconding.is_done(made, by=by):
            assert made.entry_id is not None
            return made.entry_id
        parts = _parts(session, dividend_id)
        agreed = policy.all_current(session, at=at)
        entry = Entry(_key(made), *_postings(made, parts, local_day(at, agreed["zone"])))
        made.entry_id = ledger.post(session, entry, by=by, currency=agreed["currency"])
        seconding.settle(made, by=by, at=at)
        audit.record(session, "approve_dividend", by=by, subject=("dividend", made.id), detail=_told(made))
        _tell(session, made, parts)
        return made.entry_id


def withdraw(db: Db, dividend_id: int, *, by: int, at: datetime) -> None:
    """Let a proposal fall. Raises `not_waiting`."""
    with db.begin() as session:
        made = locked(session, Dividend, dividend_id, called="dividend")
        if seconding.withdraw(made, by=by, at=at):
            audit.record(session, "withdraw_dividend", by=by, subject=("dividend", made.id), detail=_told(made))


def pay_out(db: Db, dividend_id: int, *, minimum_minor: int, by: int, at: datetime, key: str) -> int:
    """Send the cash part of each household, or make it credit where it is below the minimum; a maker's goes on its next payout.

    Return how many payments to households are on their way. Raises `not_posted`, `already_paid` and `must_be_positive`.
    """
    body = {"act": "pay_dividend", "dividend": dividend_id, "minimum": minimum_minor}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        made = locked(session, Dividend, dividend_id, called="dividend")
        if made.state != "done" or made.result_minor < 0:
            raise RuleBroken("not_posted", "A dividend is paid once a second person has approved it.")
        if made.paid_at is not None:
            raise RuleBroken("already_paid", "This dividend is paid out already.")
        if minimum_minor < 0:
            raise RuleBroken("must_be_positive", "The minimum is 0 or more.", field="minimum")
        sent = _pay(session, made, minimum_minor, by=by, at=at)
        made.paid_by, made.paid_at, made.minimum_minor = by, at, minimum_minor
        audit.record(session, "pay_dividend", by=by, subject=("dividend", made.id), detail=body | {"payments": sent})
        keys.answer(session, by=by, key=key, row_id=sent)
        return sent


def _pay(session: Session, made: Dividend, minimum_minor: int, *, by: int, at: datetime) -> int:
    """Book what each gets; one query for all that is written back."""
    agreed = policy.all_current(session, at=at)
    day = local_day(at, agreed["zone"])
    due = [part for part in _parts(session, made.id) if part.cash_minor]
    sent = [part for part in due if part.party.startswith("household:") and part.cash_minor >= minimum_minor]
    owed = [Owed(int(part.party.partition(":")[2]), part.cash_minor) for part in sent]
    payments = dict(zip((part.n for part in sent), new_payments(session, "dividend", owed, at=at), strict=True))
    entries = []
    for part in due:
        payment = payments.get(part.n)
        postings = (
            dividend_credited(part.party, part.cash_minor)
            if payment is None
            else dividend_sent(part.party, household_payment_party(payment.id), part.cash_minor)
        )
        kind = "patronage_credited" if payment is None else "patronage_sent"
        entries.append(Entry(f"{_key(made)}:{part.party}", kind, day, postings))
    for part, entry_id in zip(due, ledger.post_all(session, entries, by=by, currency=agreed["currency"]), strict=True):
        part.entry_id = entry_id
        if (payment := payments.get(part.n)) is not None:
            part.payment_id, payment.sent_entry_id = payment.id, entry_id
    session.flush()
    return len(payments)


def _begins(session: Session, through: date) -> date:
    """Return the first day of the time to be divided, nobody else proposing meanwhile. Raises `not_closed` and `decision_waits`."""
    session.execute(text("LOCK TABLE dividend IN SHARE ROW EXCLUSIVE MODE"))
    if session.scalar(select(Dividend.id).where(Dividend.state == "waiting")) is not None:
        raise RuleBroken("decision_waits", "Another proposal waits for its second person. Let it be decided first.")
    left = queries.undivided(session)
    if through not in left.months or left.starts is None:
        raise RuleBroken("not_closed", "Only whole months that are closed, and not divided yet, have a result to divide.", field="through")  # fmt: skip
    return left.starts


def _postings(made: Dividend, parts: Sequence[DividendPart], day: date) -> tuple[str, date, tuple[Posting, ...]]:
    if made.result_minor < 0:
        return "loss", day, loss_covered(-made.result_minor)
    told = tuple(
        DividedPart(
            part.party, part.trade_minor, part.cash_minor + part.retained_minor, part.cash_minor, part.retained_minor
        )
        for part in parts
    )
    division = Division(made.result_minor, made.from_outside_minor, made.reserve_minor, made.other_minor, told, ())
    return "surplus", day, surplus_divided(division)


def _key(made: Dividend) -> str:
    return f"patronage:{made.starts}:{made.ends}"


def _told(made: Dividend) -> dict[str, object]:
    return {"starts": str(made.starts), "ends": str(made.ends), "bylaw": made.bylaw_version}


def _keep_parts(session: Session, dividend_id: int, parts: Sequence[DividedPart]) -> None:
    columns = ("dividend_id", "n", "party", "trade_minor", "cash_minor", "retained_minor")
    rows = ((dividend_id, n, one.party, one.trade, one.cash, one.retained) for n, one in enumerate(parts, 1))
    copy_rows(session, "dividend_part", columns, rows)


def _parts(session: Session, dividend_id: int) -> list[DividendPart]:
    asked = select(DividendPart).where(DividendPart.dividend_id == dividend_id).order_by(DividendPart.n)
    return list(session.scalars(asked))


def _tell(session: Session, made: Dividend, parts: Sequence[DividendPart]) -> None:
    """Tell everybody who gets a part; the letter to a household's people looks its figures up when it is sent."""
    values = {"dividend_id": made.id, "starts": made.starts.isoformat(), "ends": made.ends.isoformat()}
    households = [int(part.party.partition(":")[2]) for part in parts if part.party.startswith("household:")]
    people.tell_households(session, f"dividend:{made.id}", "dividend_decided", households, values)
    for part in parts:
        if part.party.startswith("artisan:"):
            told = values | {"cash_minor": part.cash_minor, "retained_minor": part.retained_minor}
            told |= {"amount_minor": part.cash_minor + part.retained_minor}
            artisan_id = int(part.party.partition(":")[2])
            people.tell_artisan(session, f"dividend:{made.id}:maker", "dividend_of_maker", artisan_id, told)

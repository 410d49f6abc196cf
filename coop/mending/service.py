"""Put right what a hand-over booked: take it back, credit pieces that were bad, change a line's fee. Nothing booked is edited."""

from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.allocation import service as allocation
from coop.audit import service as audit
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import Entry
from coop.core.payout import put_right
from coop.core.season import local_day
from coop.db import Db, locked, take_ids
from coop.ledger import service as ledger
from coop.people import service as people
from coop.pickups import service as pickups
from coop.pickups.models import CreditNote, FeeChange, HandOver, HandOverLine
from coop.pickups.queries import DueLine, due_lines, several_makers, to_post
from coop.policy import service as policy


def undo_hand_over(db: Db, hand_over_id: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Take back a hand-over that was ticked in error, by the exact mirror of its entry, once; its pieces wait again.

    Raises `already_reversed`, `exceeds_delivered` where its pieces were found bad since, `paid_already` where the makers' money is
    gone, and `reason_missing`.
    """
    with db.begin() as session:
        body = {"act": "undo_hand_over", "hand_over": hand_over_id, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        memo = _reason(reason)
        undone = session.get(HandOver, hand_over_id)
        if undone is None:
            raise NotFound("There is no such hand-over.")
        order = pickups.lock_order(session, undone.order_id)
        _check_undoable(session, undone)
        on, currency = _day(session, order.pool_id, at)
        entry_id = undone.entry_id and ledger.mirror(session, undone.entry_id, on=on, memo=memo, by=by, currency=currency)  # fmt: skip
        undoing_id = pickups.write_undoing(session, undone, entry_id, by=by, at=at)
        audit.record(session, "undo_hand_over", by=by, subject=("hand_over", undoing_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=undoing_id)
        return undoing_id


def credit_bad(db: Db, line_id: int, pieces: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Credit pieces of a line that were found bad after they were handed over; return the credit note's id.

    The price goes back to the household, and the fund's part to the hardship fund; fee, tax and the makers' net are taken back by
    difference to what stands; deposits stay. Raises `exceeds_delivered`, `must_be_positive` or `reason_missing`.
    """
    with db.begin() as session:
        body = {"act": "credit_note", "line": line_id, "pieces": pieces, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        memo = _reason(reason)
        if pieces <= 0:
            raise RuleBroken("must_be_positive", "Credit at least one piece.", field="pieces")
        line = pickups.due_line(session, line_id)
        left = line.handed - line.noted
        if pieces > left:
            said = f"{left} of these were handed over and not credited yet, so at most {left}."
            raise RuleBroken("exceeds_delivered", said, field="pieces")
        people.lock_household(session, line.household_id)
        part = line.earns(-pieces)
        fund = line.fund_bears(left - pieces) - _fund_stands(session, line)
        (note_id,) = take_ids(session, "credit_note", 1)
        ready = to_post(line, part, several_makers(session, [line]).get(line_id))
        postings = put_right(ready, fund, pickups.owed_to_losers(session, [ready]))
        on, currency = _day(session, _pool_of(session, line), at)
        entry = Entry(f"cn:{note_id}", "credit_note", on, postings, memo) if postings else None
        note = CreditNote(
            id=note_id,
            line_id=line_id,
            pieces=pieces,
            reason=memo,
            entry_id=entry and ledger.post(session, entry, by=by, currency=currency),
            gross_minor=-part.gross,
            fund_minor=-fund,
            fee_minor=-part.fee,
            tax_minor=-part.fee_tax - part.price_tax,
            net_minor=-part.net,
        )
        pickups.note_credit(session, note, by=by, at=at)
        audit.record(session, "credit_note", by=by, subject=("credit_note", note_id), detail=body)
        _tell(session, line, note)
        keys.answer(session, by=by, key=key, row_id=note_id)
        return note_id


def take_back_note(db: Db, note_id: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Reverse a credit note that was made in error, once; return the reversal's entry, 0 where the pieces were free."""
    with db.begin() as session:
        body = {"act": "take_back_note", "note": note_id, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        memo = _reason(reason)
        note = locked(session, CreditNote, note_id, called="credit note")
        if note.reversed_id is not None:
            raise RuleBroken("already_reversed", "This credit note was taken back already.")
        line = pickups.due_line(session, note.line_id)
        on, currency = _day(session, _pool_of(session, line), at)
        reversal = note.entry_id and ledger.mirror(session, note.entry_id, on=on, memo=memo, by=by, currency=currency)
        pickups.drop_note(session, note, reversal or 0)
        audit.record(session, "take_back_note", by=by, subject=("credit_note", note_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=reversal or 0)
        return reversal or 0


def change_fee(db: Db, line_id: int, fee_bp: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Change the co-op fee of one line for all its pieces from now on; what that changes of those handed over is booked at once.

    Raises `bad_rate`, `fee_of_resale` or `reason_missing`.
    """
    with db.begin() as session:
        body = {"act": "change_fee", "line": line_id, "fee_bp": fee_bp, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        memo = _reason(reason)
        line = pickups.due_line(session, line_id)
        part = line.earns(0, fee_bp=pickups.check_fee(line, fee_bp))
        ready = to_post(line, part, several_makers(session, [line]).get(line_id))
        postings = put_right(ready, 0, pickups.owed_to_losers(session, [ready]))
        on, currency = _day(session, _pool_of(session, line), at)
        (change_id,) = take_ids(session, "fee_change", 1)
        entry = Entry(f"fee:{change_id}", "fee_changed", on, postings, memo) if postings else None
        change = FeeChange(
            id=change_id,
            line_id=line_id,
            fee_bp=fee_bp,
            reason=memo,
            entry_id=entry and ledger.post(session, entry, by=by, currency=currency),
            fee_minor=part.fee,
            tax_minor=part.fee_tax,
            net_minor=part.net,
        )
        pickups.note_fee(session, change, by=by, at=at)
        audit.record(session, "change_fee", by=by, subject=("order_line", line_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=change_id)
        return change_id


def _check_undoable(session: Session, undone: HandOver) -> None:
    if undone.undoes_id is not None or session.scalar(select(HandOver.id).where(HandOver.undoes_id == undone.id)):
        raise RuleBroken("already_reversed", "This hand-over was taken back already.")
    due = {line.line_id: line for line in due_lines(session, order=undone.order_id)}
    for line_id, pieces in session.execute(
        select(HandOverLine.line_id, HandOverLine.pieces).where(HandOverLine.hand_over_id == undone.id)
    ):
        if due[line_id].handed - due[line_id].noted < pieces:
            raise RuleBroken("exceeds_delivered", "Some of these pieces were found bad since. Take that back first.")


def _fund_stands(session: Session, line: DueLine) -> int:
    """Return what the hardship fund bears by now of what was handed over of a line, less what it got back."""
    back = "SELECT coalesce(sum(fund_minor), 0) FROM credit_note WHERE line_id = :line AND reversed_id IS NULL"
    return line.fund_handed - int(session.scalar(text(back), {"line": line.line_id}) or 0)


def _pool_of(session: Session, line: DueLine) -> int:
    pool_id = "SELECT pool_id FROM household_order WHERE id = :order"
    return int(session.execute(text(pool_id), {"order": line.order_id}).scalar_one())


def _day(session: Session, pool_id: int, at: datetime) -> tuple[date, str]:
    agreed = policy.all_current(session, at=at)
    on = allocation.booking_day(session, pool_id, today=local_day(at, agreed["zone"]))
    return on, agreed["currency"]


def _reason(reason: str) -> str:
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why, in a few words that stay in the books.", field="reason")
    return reason.strip()


def _tell(session: Session, line: DueLine, note: CreditNote) -> None:
    """Write to the household and to the makers what was found bad."""
    told = {"product": line.product, "pieces": note.pieces, "reason": note.reason}
    back = note.gross_minor - note.fund_minor
    people.tell_household(session, f"credit_note:{note.id}", "pieces_credited", line.household_id, told | {"amount_minor": back})  # fmt: skip
    makers = several_makers(session, [line]).get(line.line_id)
    for artisan_id in [maker.artisan_id for maker in makers] if makers else [line.artisan_id]:
        key = f"credit_note:{note.id}:{artisan_id}"
        people.tell_artisan(session, key, "pieces_found_bad", artisan_id, told | {"lot_number": _lot(session, line)})


def _lot(session: Session, line: DueLine) -> str:
    lot = "SELECT b.lot_number FROM offering f JOIN batch b ON b.id = f.batch_id WHERE f.id = :offering"
    return str(session.execute(text(lot), {"offering": line.offering_id}).scalar_one())

"""Take containers back at the pickup, forfeit the deposits of those that never came, and count what stands at the co-op."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog.models import ContainerType
from coop.core import returnables
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import Entry, Posting, household_party
from coop.core.season import local_day
from coop.db import Db, take_ids
from coop.ledger import service as ledger
from coop.people import service as people
from coop.policy import service as policy
from coop.returnables.models import ContainerCount, ReturnableMove
from coop.returnables.queries import expected_at_coop, outs, overdue

BACK: Final = "back"
FORFEITED: Final = "forfeited"
_BOOKS: Final[Mapping[str, Callable[[str, int], tuple[Posting, ...]]]] = {
    BACK: returnables.brought_back,
    FORFEITED: returnables.forfeited,
}


def bring_back(db: Db, household_id: int, pieces: Mapping[int, int], *, by: int, at: datetime, key: str) -> int:
    """Take containers back from a household, as {kind: pieces}; their deposits become its credit. Return the first move.

    Raises `nothing_brought_back`, and `deposit_exceeds_outstanding` where it has fewer; then nothing has changed.
    """
    return _moved(db, BACK, household_id, pieces, reason="", by=by, at=at, key=key)


def forfeit(
    db: Db, household_id: int, pieces: Mapping[int, int], *, reason: str, by: int, at: datetime, key: str
) -> int:
    """Let deposits of a household become the co-op's income, and say why. Return the first move.

    Raises `reason_missing`, `nothing_brought_back` and `deposit_exceeds_outstanding`.
    """
    if not reason.strip():
        raise RuleBroken("reason_missing", "Say why, in a few words that the household can read.", field="reason")
    return _moved(db, FORFEITED, household_id, pieces, reason=reason.strip(), by=by, at=at, key=key)


def forfeit_overdue(db: Db, *, by: int, at: datetime, key: str) -> int:
    """Forfeit what is out longer than the co-op's rule allows; return of how many households.

    Raises `no_such_rule` where containers may stay out for ever, and `nothing_overdue`.
    """
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body={"act": "forfeit_overdue"})) is not None:
            return spent
        days = policy.current(session, "returnables_kept_days", at=at)
        if not days:
            raise RuleBroken("no_such_rule", "The co-op has no rule by which deposits are forfeited.")
        told = f"Out for more than {days} days"
        before = at - timedelta(days=days)
        late = overdue(session, before=before)
        for household_id in sorted(late):
            people.lock_household(session, household_id)
        late = overdue(session, before=before)  # as it stands now that nobody brings any back meanwhile
        if not late:
            raise RuleBroken("nothing_overdue", "Nothing is out longer than the rule allows.")
        for household_id, pieces in sorted(late.items()):
            _write(session, FORFEITED, household_id, pieces.items(), reason=told, by=by, at=at)
        audit.record(session, "forfeit_overdue", by=by, subject=("policy", 0), detail={"households": len(late)})
        keys.answer(session, by=by, key=key, row_id=len(late))
        return len(late)


def undo_move(db: Db, move_id: int, *, reason: str, by: int, at: datetime, key: str) -> int:
    """Undo a move that was noted wrongly, by its exact mirror, once; return the move that undoes it.

    Raises `already_reversed`, `reason_missing`, and `insufficient_credit` where its money has been spent since.
    """
    with db.begin() as session:
        body = {"act": "undo_returnables", "move": move_id, "reason": reason}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        if not reason.strip():
            raise RuleBroken("reason_missing", "Say what was noted wrongly.", field="reason")
        move = session.get(ReturnableMove, move_id)
        if move is None:
            raise NotFound
        people.lock_household(session, move.household_id)
        undone = session.scalar(select(ReturnableMove.id).where(ReturnableMove.undoes_id == move_id))
        if undone is not None or move.undoes_id is not None:
            raise RuleBroken("already_reversed", "This was undone already, or undoes something itself.")
        agreed = policy.all_current(session, at=at)
        mirror = ledger.stored(session, move.entry_id).reversed(
            key=f"rev:{move.entry_id}", business_date=local_day(at, agreed["zone"]), memo=reason.strip()
        )
        entry_id = ledger.post(session, mirror, by=by, currency=agreed["currency"])
        row = ReturnableMove(household_id=move.household_id, type_id=move.type_id, kind=move.kind, pieces=-move.pieces)
        row.undoes_id, row.entry_id, row.reason, row.moved_at, row.moved_by = move_id, entry_id, reason.strip(), at, by
        session.add(row)
        session.flush()
        audit.record(session, "undo_returnables", by=by, subject=("household", move.household_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=row.id)
        return row.id


def count_at_coop(db: Db, pieces: Mapping[int, int], *, note: str, by: int, at: datetime, key: str) -> int:
    """Note how many empty containers of each kind stand at the co-op, as {kind: pieces}; return the first count's id."""
    with db.begin() as session:
        body = {"act": "count_containers", "pieces": sorted(pieces.items()), "note": note}
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        expected = expected_at_coop(session)
        if not pieces or not pieces.keys() <= expected.keys():
            raise RuleBroken("unknown_container", "Count at least one of the containers listed.")
        if min(pieces.values()) < 0:
            raise RuleBroken("must_be_positive", "A count is 0 or more.")
        rows = [
            ContainerCount(type_id=n, pieces=count, expected=expected[n], note=note, counted_at=at, counted_by=by)
            for n, count in sorted(pieces.items())
        ]
        session.add_all(rows)
        session.flush()
        audit.record(session, "count_containers", by=by, subject=("container_count", rows[0].id), detail=body)
        keys.answer(session, by=by, key=key, row_id=rows[0].id)
        return rows[0].id


def _moved(
    db: Db,
    kind: str,
    household_id: int,
    pieces: Mapping[int, int],
    *,
    reason: str,
    by: int,
    at: datetime,
    key: str,
) -> int:
    body = {"act": kind, "household": household_id, "pieces": sorted(pieces.items()), "reason": reason}
    with db.begin() as session:
        if (spent := keys.spend(session, by=by, key=key, body=body)) is not None:
            return spent
        people.lock_household(session, household_id)
        wanted = [(type_id, count) for type_id, count in sorted(pieces.items()) if count]
        _check_out(session, household_id, wanted)
        move_id = _write(session, kind, household_id, wanted, reason=reason, by=by, at=at)
        audit.record(session, f"returnables_{kind}", by=by, subject=("household", household_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=move_id)
        return move_id


def _check_out(session: Session, household_id: int, wanted: Iterable[tuple[int, int]]) -> None:
    """Raise unless something is told, and the household has as many of each kind."""
    if not wanted:
        raise RuleBroken("nothing_brought_back", "Give at least one container.")
    held = {one.type_id: one for one in outs(session, household_id)}
    for type_id, count in wanted:
        one = held.get(type_id)
        if count < 0 or one is None or count > one.pieces:
            left = f"{one.name}: {one.pieces} out, so at most {one.pieces}." if one else "None of these is out."
            raise RuleBroken("deposit_exceeds_outstanding", left, field=f"back-{type_id}")


def _write(
    session: Session,
    kind: str,
    household_id: int,
    pieces: Iterable[tuple[int, int]],
    *,
    reason: str,
    by: int,
    at: datetime,
) -> int:
    """Write a move for each kind, and the entry that moves its deposit."""
    agreed, party = policy.all_current(session, at=at), household_party(household_id)
    day, parts = local_day(at, agreed["zone"]), list(pieces)
    ids = take_ids(session, "returnable_move", len(parts))
    deposit = {kind.id: kind.deposit_minor for kind in session.scalars(select(ContainerType))}
    entries = [
        Entry(f"jar:{n}", f"returnables_{kind}", day, _BOOKS[kind](party, count * deposit[type_id]), reason)
        for n, (type_id, count) in zip(ids, parts, strict=True)
    ]
    posted = ledger.post_all(session, entries, by=by, currency=agreed["currency"])
    session.execute(
        text(
            "INSERT INTO returnable_move (id, household_id, type_id, kind, pieces, entry_id, reason, moved_at, moved_by)"
            " OVERRIDING SYSTEM VALUE VALUES (:id, :household, :type, :kind, :pieces, :entry, :reason, :at, :by)"
        ),
        [
            {"id": n, "type": type_id, "pieces": count, "entry": entry_id}
            | {"household": household_id, "kind": kind, "reason": reason, "at": at, "by": by}
            for n, (type_id, count), entry_id in zip(ids, parts, posted, strict=True)
        ],
    )
    return ids[0]

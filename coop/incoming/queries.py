"""What treasurers see of payments of households: those recorded, and what one that came in can be for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import MEMBER_CREDIT, SHARE_PREPAID, household_party
from coop.core.paging import Slice

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class PaymentRow:
    id: int
    household_id: int
    household: str
    purpose: str
    amount_minor: int
    received_on: date
    reference: str
    recorded_by: str
    recorded_at: datetime
    is_undone: bool


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    sought: str
    rows: list[PaymentRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    id: int
    name: str
    people: str
    credit_minor: int


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """Households to record a payment for; `line` is the receipt of a bank statement that it is about, if any."""

    sought: str
    rows: list[HouseholdRow]
    part: Slice
    line: "Receipt | None"


@dataclass(frozen=True, slots=True)
class ShareOwed:
    id: int
    words: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of a bank statement whose household is not known yet."""

    id: int
    reference: str
    amount_minor: int
    booked_on: date
    words: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    household_id: int
    household: str
    credit_minor: int
    prepaid_minor: int
    shares: list[ShareOwed]
    line: Receipt | None


def payments_page(session: Session, sought: str, *, number: int) -> PaymentsPage:
    """Return fifty payments recorded by hand, the latest first; `is_undone` where one was taken back or reversed."""
    rows = session.execute(
        text(
            "SELECT p.id, p.household_id, h.name, p.purpose, p.amount_minor, p.received_on, p.reference,"
            " coalesce(w.name, 'the command line'), p.recorded_at,"
            " EXISTS (SELECT FROM entry e WHERE e.reverses_id = p.entry_id OR e.key = 'bounced:' || p.id), count(*) OVER () AS total"
            " FROM recorded_payment p JOIN household h ON h.id = p.household_id LEFT JOIN person w ON w.id = p.recorded_by"
            " WHERE h.name ILIKE :like OR p.reference ILIKE :like ORDER BY p.id DESC LIMIT :most OFFSET :skipped"
        ),
        _found(sought, number),
    ).all()
    return PaymentsPage(sought, [PaymentRow(*row[:-1]) for row in rows], Slice(number, A_PAGE, _total(rows)))


def choose_page(session: Session, sought: str, *, number: int, line_id: int | None) -> ChoosePage:
    """Return fifty households whose name, people or number in files hold what is sought."""
    rows = session.execute(
        text(
            "SELECT h.id, h.name, coalesce(p.names, ''), coalesce(-b.amount, 0)::bigint, count(*) OVER () AS total FROM household h"
            " LEFT JOIN LATERAL (SELECT string_agg(p.name, ', ' ORDER BY p.name) AS names FROM belonging g"
            "   JOIN person p ON p.id = g.person_id WHERE g.household_id = h.id AND g.ended_at IS NULL) p ON true"
            " LEFT JOIN account a ON a.code = :credit AND a.party = 'household:' || h.id LEFT JOIN balance b ON b.account_id = a.id"
            " WHERE h.left_at IS NULL AND (h.name ILIKE :like OR p.names ILIKE :like)"
            " ORDER BY lower(h.name), h.id LIMIT :most OFFSET :skipped"
        ),
        _found(sought, number) | {"credit": MEMBER_CREDIT},
    ).all()
    shown = [HouseholdRow(*row[:-1]) for row in rows]
    return ChoosePage(sought, shown, Slice(number, A_PAGE, _total(rows)), _receipt(session, line_id))


def record_page(session: Session, household_id: int, *, line_id: int | None) -> RecordPage:
    """Return what a payment of one household can be for."""
    name = session.scalar(text("SELECT name FROM household WHERE id = :id AND left_at IS NULL"), {"id": household_id})
    if name is None:
        raise NotFound
    shares = session.execute(
        text(
            "SELECT s.id, z.name || ' share, ' || n.name FROM season_share s JOIN share_size z ON z.id = s.size_id"
            " JOIN season n ON n.id = z.season_id WHERE s.household_id = :id AND s.ended_at IS NULL ORDER BY s.id"
        ),
        {"id": household_id},
    )
    balances = {
        code: -amount
        for code, amount in session.execute(
            text("SELECT a.code, b.amount FROM account a JOIN balance b ON b.account_id = a.id WHERE a.party = :party"),
            {"party": household_party(household_id)},
        )
    }
    return RecordPage(
        household_id,
        name,
        balances.get(MEMBER_CREDIT, 0),
        balances.get(SHARE_PREPAID, 0),
        [ShareOwed(*row) for row in shares],
        _receipt(session, line_id),
    )


def _receipt(session: Session, line_id: int | None) -> Receipt | None:
    if line_id is None:
        return None
    row = session.execute(
        text(
            "SELECT b.id, b.reference, b.amount_minor, b.booked_on, b.words FROM bank_line b"
            " LEFT JOIN entry e ON e.id = b.entry_id LEFT JOIN entry k ON k.key = 'resolve:' || b.id"
            " WHERE b.id = :id AND b.amount_minor > 0 AND e.kind = 'unidentified_receipt' AND k.id IS NULL"
        ),
        {"id": line_id},
    ).first()
    return None if row is None else Receipt(*row)


def _found(sought: str, number: int) -> dict[str, object]:
    like = "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return {"like": like, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}


def _total(rows: Sequence[Any]) -> int:
    return rows[0].total if rows else 0


def split_page(session: Session, line_id: int) -> Receipt:
    """Return a receipt that waits for its household, to be split."""
    line = _receipt(session, line_id)
    if line is None:
        raise NotFound("This line does not wait for anybody.")
    return line


def household_meant(session: Session, words: str) -> int:
    """Find the household that a treasurer names, by its name or as #17. Raises `unknown_household` and `which_household`."""
    number = words.removeprefix("#") if re.fullmatch("#[0-9]{1,18}", words) else "0"
    named = {"name": " ".join(words.casefold().split()), "id": int(number)}
    found = session.scalars(
        text(
            "SELECT id FROM household WHERE left_at IS NULL AND (lower(name) = :name OR id = :id) ORDER BY id LIMIT 4"
        ),
        named,
    ).all()
    if not found:
        raise RuleBroken(
            "unknown_household", f"There is no household “{words}”. Write its name, or its number like #17."
        )
    if len(found) > 1:
        numbers = ", ".join(f"#{one}" for one in found)
        raise RuleBroken("which_household", f"Several households have this name: write {numbers} to say which.")
    return int(found[0])

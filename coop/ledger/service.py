"""Post entries: one in one statement, any number of them in a few, checked by the database when the caller commits."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from psycopg.errors import CheckViolation
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import (
    CHART,
    DEPOSITS_HELD,
    HARDSHIP_FUND,
    MEMBER_CREDIT,
    OWED_TO_MAKER,
    SHARE_PREPAID,
    Entry,
    Posting,
)
from coop.core.season import month_of
from coop.db import bigints, columns_of, copy_numbers, copy_rows, raw, take_ids, texts
from coop.ledger import models


def post(session: Session, entry: Entry, *, by: int, currency: str) -> int:
    """Post one entry and return its id."""
    return post_all(session, [entry], by=by, currency=currency)[0]


def post_all(session: Session, entries: Sequence[Entry], *, by: int, currency: str) -> Sequence[int]:
    """Post entries in their order and return their ids.

    A key that was posted before, an overdrawn account or a closed period is refused by the database; commands look
    first, under a lock, so that people get a sentence.
    """
    if not entries:
        return []
    touched = {(posting[0], posting[1]) for entry in entries for posting in entry.postings}
    accounts = open_accounts(session, touched, currency=currency)
    if (HARDSHIP_FUND, "") in touched:
        hold_fund(session)
    periods = _periods(session, {entry.business_date for entry in entries})
    reversed_ids = _ids_of_keys(session, {entry.reverses for entry in entries if entry.reverses})
    with _said_in_words(accounts):
        if len(entries) == 1:
            return [_write_one(session, entries[0], accounts, periods, reversed_ids, by=by)]
        ids = take_ids(session, "entry", len(entries))
        rows = (
            (entry_id, *_row(entry, periods, reversed_ids, by=by)) for entry_id, entry in zip(ids, entries, strict=True)
        )
        copy_rows(session, "entry", ("id", *_ENTRY), rows)
        postings = (
            (entry_id, n, accounts[code, party], amount, line_id)
            for entry_id, entry in zip(ids, entries, strict=True)
            for n, (code, party, amount, line_id) in enumerate(entry.postings, 1)
        )
        copy_numbers(session, "posting", ("entry_id", "n", "account_id", "amount", "line_id"), postings)
    return ids


_ENTRY = ("key", "kind", "business_date", "period_id", "line_count", "reverses_id", "actor_id", "memo")

_ONE = b"""
WITH booked AS (
  INSERT INTO entry (key, kind, business_date, period_id, line_count, reverses_id, actor_id, memo)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id),
written AS (
  INSERT INTO posting (entry_id, n, account_id, amount, line_id)
  SELECT b.id, p.n, p.account_id, p.amount, p.line_id
    FROM booked b, unnest(%s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS p (account_id, amount, line_id, n))
SELECT id FROM booked
"""
"""One entry with its postings in one exchange with the server: what most commands book."""


def _row(entry: Entry, periods: dict[date, int], reversed_ids: dict[str, int], *, by: int) -> tuple[object, ...]:
    return (
        entry.key,
        entry.kind,
        entry.business_date,
        periods[entry.business_date],
        len(entry.postings),
        reversed_ids[entry.reverses] if entry.reverses else None,
        by,
        entry.memo or None,
    )


def _write_one(
    session: Session,
    entry: Entry,
    accounts: dict[tuple[int, str], int],
    periods: dict[date, int],
    reversed_ids: dict[str, int],
    *,
    by: int,
) -> int:
    columns = (
        [accounts[code, party] for code, party, _, _ in entry.postings],
        [amount for _, _, amount, _ in entry.postings],
        [line_id for _, _, _, line_id in entry.postings],
    )
    (entry_id,) = raw(session).execute(_ONE, (*_row(entry, periods, reversed_ids, by=by), *columns)).fetchall()[0]
    return int(entry_id)


@contextmanager
def _said_in_words(accounts: dict[tuple[int, str], int]) -> Iterator[None]:
    """Turn what the database refuses into a sentence for people."""
    try:
        yield
    except CheckViolation as error:
        if error.diag.constraint_name == "entry_in_open_period":
            said = "The books of this month were closed meanwhile. Use a date in an open month."
            raise RuleBroken("period_closed", said) from error
        if error.diag.constraint_name != "not_overdrawn":
            raise
        astray = int(re.sub(r"\D", "", error.diag.message_primary or "0"))
        code = next((code for (code, _), account_id in accounts.items() if account_id == astray), MEMBER_CREDIT)
        raise RuleBroken(*OVERDRAWN.get(code, OVERDRAWN[MEMBER_CREDIT])) from error


OVERDRAWN: Final = {
    MEMBER_CREDIT: ("insufficient_credit", "There is not enough credit left for this."),
    SHARE_PREPAID: ("insufficient_share", "There is not that much prepaid for season shares."),
    OWED_TO_MAKER: ("paid_already", "The maker was paid this already, so it cannot be taken back like this."),
    DEPOSITS_HELD: ("deposit_exceeds_outstanding", "There are not that many deposits of this household left."),
    HARDSHIP_FUND: ("fund_insufficient", "There is not enough in the hardship fund for this."),
}
"""What is said where an account that may not be overdrawn would be, by its number."""


def hold_fund(session: Session) -> int:
    """Hold the hardship fund until commit, before anybody's own accounts, and return what is in it."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('hardship_fund'))"))
    return -balance_of(session, HARDSHIP_FUND, "")


def open_accounts(session: Session, wanted: Iterable[tuple[int, str]], *, currency: str) -> dict[tuple[int, str], int]:
    """Return the ids of accounts by (code, party), opening those that do not exist yet."""
    pairs = sorted(wanted)
    codes, parties = [code for code, _ in pairs], [party for _, party in pairs]
    found = _account_ids(session, codes, parties)
    missing = [pair for pair in pairs if pair not in found]
    if missing:
        session.execute(
            text(
                "INSERT INTO account (code, party, currency, side)"
                " SELECT * FROM unnest(CAST(:codes AS int[]), CAST(:parties AS text[]), CAST(:currencies AS text[]),"
                " CAST(:sides AS smallint[])) ON CONFLICT (code, party) DO NOTHING"
            ),
            {
                "codes": [code for code, _ in missing],
                "parties": [party for _, party in missing],
                "currencies": [currency] * len(missing),
                "sides": [_side(code) for code, _ in missing],
            },
        )
        found = _account_ids(session, codes, parties)
    return found


def _account_ids(session: Session, codes: list[int], parties: list[str]) -> dict[tuple[int, str], int]:
    rows = session.execute(
        text(
            "SELECT a.code, a.party, a.id FROM account a"
            " JOIN unnest(CAST(:codes AS int[]), CAST(:parties AS text[])) AS w (code, party)"
            " ON a.code = w.code AND a.party = w.party"
        ),
        {"codes": bigints(codes), "parties": texts(parties)},
    )
    return {(code, party): account_id for code, party, account_id in rows}


def _side(code: int) -> int:
    kind = CHART[code]
    return kind.normal_sign if kind.may_not_overdraw else 0


def _periods(session: Session, days: set[date]) -> dict[date, int]:
    """Return the open period of each day; calendar months are made as needed."""
    found: dict[date, int] = {}
    for starts, ends in sorted({month_of(day) for day in days}):
        covering = _period_over(session, starts, ends)
        if covering is None:
            _refuse_before_closed(session, starts, ends)
            session.execute(
                text("INSERT INTO period (starts, ends) VALUES (:starts, :ends) ON CONFLICT DO NOTHING"),
                {"starts": starts, "ends": ends},
            )
            covering = _period_over(session, starts, ends)
            assert covering is not None
        period_id, closed = covering
        if closed:
            raise _is_closed(starts)
        found |= {day: period_id for day in days if starts <= day <= ends}
    return found


def _is_closed(starts: date) -> RuleBroken:
    told = f"The books of {starts:%B %Y} are closed. Use a date in an open month."
    return RuleBroken("period_closed", told, field="business_date")


def refuse_closed(session: Session, day: date) -> None:
    """Refuse a day whose month is closed, or lies before one that is. Raises `period_closed`."""
    starts, ends = month_of(day)
    covering = _period_over(session, starts, ends)
    if covering is None:
        _refuse_before_closed(session, starts, ends)
    elif covering[1]:
        raise _is_closed(starts)


def _refuse_before_closed(session: Session, starts: date, ends: date) -> None:
    """Open no month that lies before a closed one: it would be missing there."""
    closed = select(models.Period.id).where(models.Period.closed_at.is_not(None), models.Period.starts > ends)
    if session.scalar(closed.limit(1)) is not None:
        raise _is_closed(starts)


def _period_over(session: Session, starts: date, ends: date) -> tuple[int, bool] | None:
    row = session.execute(_OVER, {"starts": starts, "ends": ends}).first()
    return None if row is None else (row.id, row.closed_at is not None)


_OVER = text("SELECT id, closed_at FROM period WHERE starts <= :ends AND ends >= :starts")


def _ids_of_keys(session: Session, keys: set[str]) -> dict[str, int]:
    if not keys:
        return {}
    rows = session.execute(select(models.Entry.key, models.Entry.id).where(models.Entry.key.in_(keys)))
    found = {row.key: row.id for row in rows}
    if missing := keys - found.keys():
        raise NotFound(f"There is no entry {min(missing)} to reverse.")
    return found


_BALANCE = text(
    "SELECT b.amount FROM account a JOIN balance b ON b.account_id = a.id WHERE a.code = :code AND a.party = :party"
)


def balance_of(session: Session, code: int, party: str) -> int:
    """Return a kept balance, debit + and credit -, or 0 where nothing was posted."""
    return session.scalar(_BALANCE, {"code": code, "party": party}) or 0


def balances_of(session: Session, code: int, parties: Sequence[str]) -> dict[str, int]:
    """Return the kept balances of many parties, debit + and credit -; who has none is left out."""
    kept = columns_of(session, _BALANCES, {"code": code, "parties": texts(parties)}, ("place", "amount"))
    return {parties[place - 1]: minor for place, minor in zip(kept["place"].tolist(), kept["amount"].tolist(), strict=True)}  # fmt: skip


_BALANCES: Final = """
SELECT w.place, b.amount FROM unnest(CAST(:parties AS text[])) WITH ORDINALITY AS w (party, place)
  JOIN account a ON a.code = :code AND a.party = w.party JOIN balance b ON b.account_id = a.id
"""


def stored(session: Session, entry_id: int) -> Entry:
    """Read an entry back as it was posted, for a reversal to mirror."""
    row = session.get(models.Entry, entry_id)
    if row is None:
        raise NotFound("There is no such entry.")
    postings = session.execute(
        text(
            "SELECT a.code, a.party, p.amount, p.line_id FROM posting p JOIN account a ON a.id = p.account_id"
            " WHERE p.entry_id = :entry ORDER BY p.n"
        ),
        {"entry": entry_id},
    )
    reverses = None if row.reverses_id is None else session.get_one(models.Entry, row.reverses_id).key
    return Entry(
        row.key, row.kind, row.business_date, tuple(Posting(*one) for one in postings), row.memo or "", reverses
    )


def mirror(session: Session, entry_id: int, *, on: date, memo: str, by: int, currency: str) -> int:
    """Reverse an entry by its exact mirror, once; return the reversal's id. Raises `already_reversed`."""
    if reversal_of(session, entry_id) is not None:
        raise RuleBroken("already_reversed", "This entry was reversed already.")
    reversal = stored(session, entry_id).reversed(key=f"rev:{entry_id}", business_date=on, memo=memo)
    return post(session, reversal, by=by, currency=currency)


def has_key(session: Session, key: str) -> bool:
    """Whether an entry with this key was posted."""
    return session.scalar(select(models.Entry.id).where(models.Entry.key == key)) is not None


def reversal_of(session: Session, entry_id: int) -> int | None:
    """Return the entry that reverses this one, holding off who else would, or None."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('reversal'), :entry)"), {"entry": entry_id % 2**31})
    return session.scalar(select(models.Entry.id).where(models.Entry.reverses_id == entry_id))


def close_period(session: Session, period_id: int, *, by: int) -> None:
    """Let nothing more be posted into a period; `hold_period` comes first."""
    session.execute(
        text("UPDATE period SET closed_at = clock_timestamp(), closed_by = :by WHERE id = :id AND closed_at IS NULL"),
        {"id": period_id, "by": by},
    )
    session.expire_all()


def reopen_period(session: Session, period_id: int) -> None:
    """Let entries be posted into a closed period again."""
    session.execute(text("UPDATE period SET closed_at = NULL, closed_by = NULL WHERE id = :id"), {"id": period_id})
    session.expire_all()


def hold_period(session: Session, period_id: int) -> models.Period:
    """Keep everybody from posting into a period until commit, having waited for those who are at it. Raises NotFound."""
    session.execute(text("SELECT pg_advisory_xact_lock(7263546, :id)"), {"id": period_id})
    period = session.get(models.Period, period_id, with_for_update=True, populate_existing=True)
    if period is None:
        raise NotFound("There is no such month in the books.")
    return period

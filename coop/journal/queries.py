"""Entries as the books have them, found by account, party, kind, words and days; what each is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.books.queries import NAMED, NUMBERED, told
from coop.core import dealings
from coop.core.errors import NotFound
from coop.core.ledger import CHART
from coop.core.paging import Slice, anywhere

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What entries are looked for; None and "" ask for nothing."""

    account: int | None = None
    party: str = ""
    period_id: int | None = None
    kind: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    id: int
    key: str
    kind: str
    memo: str
    business_date: date
    moved_minor: int


@dataclass(frozen=True, slots=True)
class JournalPage:
    rows: list[EntryRow]
    part: Slice
    accounts: list[tuple[int, str]]
    kinds: list[str]
    periods: list[tuple[int, date]]


@dataclass(frozen=True, slots=True)
class Side:
    account_id: int
    code: int
    account: str
    whose: str
    debit_minor: int
    credit_minor: int
    line_id: int | None


@dataclass(frozen=True, slots=True)
class About:
    """What an entry books: in words, and the page of it, if there is one."""

    words: str
    endpoint: str = ""
    named: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    id: int
    key: str
    kind: str
    memo: str
    business_date: date
    posted_at: datetime
    by: str
    sides: list[Side]
    about: list[About]
    reverses_id: int | None
    reversed_by: int | None
    may_reverse: bool


@dataclass(frozen=True, slots=True)
class MonthRow:
    id: int
    starts: date
    ends: date
    closed_at: datetime | None
    entries: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An account number over a month: debit +, credit -."""

    code: int
    name: str
    before_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def after_minor(self) -> int:
        """What stands there at the month's end."""
        return self.before_minor + self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class MonthPage:
    id: int
    starts: date
    ends: date
    closed_at: datetime | None
    rows: list[Standing]
    debit_minor: int
    credit_minor: int


_FOUND = """
SELECT e.id, e.key, e.kind, coalesce(e.memo, '') AS memo, e.business_date,
       (SELECT sum(p.amount) FROM posting p WHERE p.entry_id = e.id AND p.amount > 0)::bigint AS moved
  FROM entry e WHERE true {conditions}
 ORDER BY e.id DESC LIMIT :most OFFSET :skipped
"""
_COUNTED = "SELECT count(*) FROM entry e WHERE true {conditions}"
_CONDITIONS: Final = {
    "account": " AND EXISTS (SELECT FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = e.id AND a.code = :account)",
    "party": " AND EXISTS (SELECT FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = e.id AND a.party = :party)",
    "period_id": " AND e.period_id = :period_id",
    "kind": " AND e.kind = :kind",
    "words": " AND (e.key ILIKE :words OR (:named AND e.memo ILIKE :words))",
    "since": " AND e.business_date >= :since",
    "until": " AND e.business_date <= :until",
}

_SIDES = text(f"""
SELECT a.id, a.code, CASE WHEN :named THEN {NAMED} ELSE {NUMBERED} END AS whose, p.amount, p.line_id
  FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = :entry ORDER BY p.n LIMIT 500
""")  # noqa: S608 - our own words

_ABOUT = text("""
SELECT 'Hand-over ' || h.id || ' of order ' || h.order_id || ' in ' || p.name, 'returnables.tick', 'order_id', h.order_id
  FROM hand_over h JOIN household_order o ON o.id = h.order_id JOIN pool p ON p.id = o.pool_id WHERE h.entry_id = :entry
 UNION ALL
SELECT 'Order ' || o.id || ' in ' || p.name, 'office.pool', 'pool_id', p.id
  FROM household_order o JOIN pool p ON p.id = o.pool_id
 WHERE :key LIKE 'order:%' AND o.id::text = split_part(:key, ':', 2)
 UNION ALL
SELECT 'Sharing out of ' || p.name || ', run ' || r.id, 'office.pool', 'pool_id', p.id
  FROM allocation_run r JOIN pool p ON p.id = r.pool_id WHERE :key LIKE 'alloc:%' AND r.id::text = split_part(:key, ':', 2)
 UNION ALL
SELECT 'Statement ' || s.series || '-' || s.number, 'telling.statement', 'statement_id', s.id
  FROM payment y JOIN statement s ON s.id = y.statement_id WHERE :entry IN (y.sent_entry_id, y.settled_entry_id)
 UNION ALL
SELECT 'Bank line ' || l.reference, 'bank.statement', 'statement_id', l.statement_id FROM bank_line l WHERE l.entry_id = :entry
 UNION ALL
SELECT 'Containers, move ' || m.id, 'returnables.household', 'household_id', m.household_id
  FROM returnable_move m WHERE m.entry_id = :entry
 UNION ALL
SELECT replace(initcap(left(d.kind, 1)) || substr(d.kind, 2), '_', ' ') || ' ' || d.series || '-' || d.number, 'documents.document', 'document_id', d.id
  FROM (SELECT document_id FROM document_line WHERE entry_id = :entry
         UNION
        SELECT w.document_id FROM hand_over h JOIN document_line w ON w.hand_over_id = h.id WHERE h.entry_id = :entry
         UNION
        SELECT w.document_id FROM credit_note n JOIN document_line w ON w.credit_note_id = n.id WHERE n.entry_id = :entry
         UNION
        SELECT w.document_id FROM credit_note n JOIN document_line w ON w.taken_back_id = n.id WHERE n.reversed_id = :entry) x
  JOIN document d ON d.id = x.document_id
""")


def journal_page(session: Session, asked: Asked, *, number: int, named: bool) -> JournalPage:
    """Return fifty entries that are looked for, the latest first, and what may be asked for."""
    wanted = {name: getattr(asked, name) for name in _CONDITIONS if getattr(asked, name) not in {None, ""}}
    conditions = "".join(_CONDITIONS[name] for name in wanted)
    values = wanted | {"named": named, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    if "words" in wanted:
        values["words"] = anywhere(asked.words)
    rows = session.execute(text(_FOUND.format(conditions=conditions)), values)
    found = [
        EntryRow(row.id, row.key, row.kind, told(row.kind, row.memo, named=named), row.business_date, row.moved)
        for row in rows
    ]
    total = session.scalar(text(_COUNTED.format(conditions=conditions)), values) or 0
    codes = session.scalars(text("SELECT DISTINCT code FROM account ORDER BY code"))
    kinds = session.scalars(text("SELECT DISTINCT kind FROM entry ORDER BY kind"))
    periods = session.execute(text("SELECT id, starts FROM period ORDER BY starts DESC LIMIT 120"))
    return JournalPage(
        found,
        Slice(number, A_PAGE, total),
        [(code, CHART[code].name) for code in codes],
        list(kinds),
        [(row.id, row.starts) for row in periods],
    )


def entry_page(session: Session, entry_id: int, *, named: bool) -> EntryPage:
    """Return one entry whole: its postings down to their accounts, and what it is about."""
    row = session.execute(
        text(
            "SELECT e.*, coalesce(p.name, 'the co-op') AS by, r.id AS reversed_by,"
            " EXISTS (SELECT FROM bank_line l WHERE l.entry_id = e.id) AS at_bank FROM entry e"
            " LEFT JOIN person p ON p.id = e.actor_id LEFT JOIN entry r ON r.reverses_id = e.id WHERE e.id = :id"
        ),
        {"id": entry_id},
    ).first()
    if row is None:
        raise NotFound
    sides = [
        Side(one.id, one.code, CHART[one.code].name, one.whose, max(one.amount, 0), max(-one.amount, 0), one.line_id)
        for one in session.execute(_SIDES, {"entry": entry_id, "named": named})
    ]
    about = [
        About(words, endpoint, {name: value})
        for words, endpoint, name, value in session.execute(_ABOUT, {"entry": entry_id, "key": row.key})
    ]
    by = row.by if named else f"Person {row.actor_id}" if row.actor_id else "the co-op"
    return EntryPage(
        id=row.id,
        key=row.key,
        kind=row.kind,
        memo=told(row.kind, row.memo or "", named=named),
        business_date=row.business_date,
        posted_at=row.posted_at,
        by=by,
        sides=sides,
        about=about,
        reverses_id=row.reverses_id,
        reversed_by=row.reversed_by,
        may_reverse=row.kind in dealings.ALONE and row.reversed_by is None and not row.at_bank,
    )


def months(session: Session) -> list[MonthRow]:
    """Return the months of the books, the latest first."""
    rows = session.execute(
        text(
            "SELECT p.id, p.starts, p.ends, p.closed_at, (SELECT count(*) FROM entry e WHERE e.period_id = p.id)"
            " FROM period p ORDER BY p.starts DESC LIMIT 120"
        )
    )
    return [MonthRow(*row) for row in rows]


def month_page(session: Session, period_id: int) -> MonthPage:
    """Return a month's trial balance: what stood before it, what moved, and what stands after."""
    row = session.execute(
        text("SELECT id, starts, ends, closed_at FROM period WHERE id = :id"), {"id": period_id}
    ).first()
    if row is None:
        raise NotFound
    moved = session.execute(
        text(
            "SELECT a.code, coalesce(sum(p.amount) FILTER (WHERE e.business_date < :starts), 0)::bigint,"
            " coalesce(sum(p.amount) FILTER (WHERE e.business_date >= :starts AND p.amount > 0), 0)::bigint,"
            " coalesce(-sum(p.amount) FILTER (WHERE e.business_date >= :starts AND p.amount < 0), 0)::bigint"
            " FROM posting p JOIN entry e ON e.id = p.entry_id JOIN account a ON a.id = p.account_id"
            " WHERE e.business_date <= :ends GROUP BY a.code ORDER BY a.code"
        ),
        {"starts": row.starts, "ends": row.ends},
    )
    rows = [Standing(code, CHART[code].name, *amounts) for code, *amounts in moved]
    return MonthPage(
        row.id,
        row.starts,
        row.ends,
        row.closed_at,
        rows,
        sum(one.debit_minor for one in rows),
        sum(one.credit_minor for one in rows),
    )

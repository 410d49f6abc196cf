"""Ask whether the books keep their rules, and read them out whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.books.models import INVARIANTS, ROWS_SHOWN, SEALS, Invariant, Result
from coop.core.errors import NotFound, RuleBroken
from coop.core.ledger import CHART
from coop.core.paging import Slice
from coop.db import raw

A_PAGE: Final = 50
WRITTEN_FOR_BOOKS: Final = frozenset({"reversal", "returnables_forfeited", "close"})


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account, or all accounts of one number together; debit and credit in minor units, one of them 0.

    `account_id` is None for a number that many parties have accounts of.
    """

    code: int
    name: str
    account_id: int | None
    accounts: int
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class TrialBalancePage:
    rows: list[AccountRow]
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class ChartPage:
    """The accounts of one number, by whose they are."""

    code: int
    name: str
    sought: str
    rows: list[AccountRow]
    part: Slice


@dataclass(frozen=True, slots=True)
class PostingRow:
    entry_id: int
    key: str
    kind: str
    memo: str
    business_date: date
    debit_minor: int
    credit_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    code: int
    kind: str
    name: str
    is_shared: bool
    """Whether many parties have accounts of this number."""
    balance_minor: int
    rows: list[PostingRow]
    part: Slice


def results(session: Session) -> list[Result]:
    """Ask every rule, in the order of their numbers; nothing is written."""
    return [_asked(session, rule) for rule in INVARIANTS]


def _asked(session: Session, rule: Invariant) -> Result:
    found = session.execute(
        text(f"SELECT q.*, count(*) OVER () AS in_all FROM ({rule.broken}) q LIMIT {ROWS_SHOWN}")  # noqa: S608 - our own rules only
    ).mappings()
    rows = [_plain(row) for row in found]
    count = max((int(str(row.pop("in_all"))) for row in rows), default=0)
    if rule.id == SEALS:
        links = audit.broken_seals(session)
        count += len(links)
        rows = [*rows, *({"fault": "broken seal", "seal": link} for link in links)][:ROWS_SHOWN]
    return Result(rule.id, rule.title, count, rows)


def _plain(row: RowMapping) -> dict[str, object]:
    return {name: _simple(value) for name, value in row.items()}


def _simple(value: object) -> object:
    """Sums come as decimals and times as objects; people and JSON want numbers and text."""
    if isinstance(value, Decimal):
        return int(value)
    return value.isoformat() if isinstance(value, date) else value


def ledger_rows(session: Session) -> Iterator[tuple[str, str, date, str, int, str, int]]:
    """Yield every posting with its entry, entry by entry, through a cursor of the server: memory stays small."""
    with raw(session).cursor(name="ledger") as cursor:
        cursor.itersize = 20_000
        cursor.execute(_LEDGER)
        yield from cursor


def ledger_balances(session: Session) -> list[tuple[int, str, int]]:
    """Return where each account ends by what is kept of it, or by its postings where nothing is kept."""
    rows = session.execute(text(f"SELECT a.code, a.party, {_END} ORDER BY a.code, a.party"))
    return [(code, party, amount) for code, party, amount in rows]


def published_run(session: Session, pool: str) -> tuple[int, str]:
    """Return the run that shared a pool out, and the digest of its result. Raises `not_found` or `not_published`."""
    found = session.execute(
        text(
            "SELECT u.id, u.result_digest FROM pool p"
            " LEFT JOIN allocation_run u ON u.pool_id = p.id AND u.state = 'published' WHERE p.name = :pool"
        ),
        {"pool": pool},
    ).first()
    if found is None:
        raise NotFound(f"There is no pool called {pool}.")
    if found.id is None:
        raise RuleBroken("not_published", f"The sharing out of {pool} is not published, so there is no proof yet.")
    return found.id, found.result_digest


def trial_balance(session: Session) -> TrialBalancePage:
    """Return every account number with what stands on it; both sides come to the same."""
    found = session.execute(
        text(
            f"SELECT code, count(*) AS accounts, min(id) AS id, sum(amount)::bigint AS amount FROM (SELECT a.code, a.id, {_END}) ends"  # noqa: S608 - our own text
            " GROUP BY code ORDER BY code"
        )
    )
    rows = [
        _account(
            row.code, CHART[row.code].name, None if CHART[row.code].per_party else row.id, row.accounts, row.amount
        )
        for row in found
    ]
    return TrialBalancePage(rows, sum(row.debit_minor for row in rows), sum(row.credit_minor for row in rows))


def chart_page(session: Session, code: int, sought: str, *, number: int, named: bool = True) -> ChartPage:
    """Return fifty accounts of one number, by whose they are: by names, or `named` False by numbers alone."""
    if code not in CHART:
        raise NotFound
    asked = {"code": code, "sought": f"%{_literal(sought)}%", "most": A_PAGE, "skipped": A_PAGE * (number - 1)}
    asked |= {"named": named}
    found = session.execute(_OF_CODE, asked).all()
    rows = [_account(code, row.whose, row.id, 1, row.amount) for row in found]
    return ChartPage(code, CHART[code].name, sought, rows, Slice(number, A_PAGE, found[0].total if found else 0))


def account_page(session: Session, account_id: int, *, number: int, named: bool = True) -> AccountPage:
    """Return fifty postings of an account, the latest first, each with the balance after it."""
    account = session.execute(_ACCOUNT, {"id": account_id, "named": named}).first()
    if account is None:
        raise NotFound
    found = session.execute(_POSTINGS, {"id": account_id, "most": A_PAGE, "skipped": A_PAGE * (number - 1)}).all()
    rows = [
        PostingRow(
            row.id,
            row.key,
            row.kind,
            told(row.kind, row.memo, named=named),
            row.business_date,
            *_sides(row.amount),
            balance_minor=int(row.balance),
        )
        for row in found
    ]
    kind = CHART[account.code]
    part = Slice(number, A_PAGE, found[0].total if found else 0)
    return AccountPage(account.code, kind.name, account.whose, kind.per_party, account.amount, rows, part)


def told(kind: str, memo: str, *, named: bool) -> str:
    """Return an entry's words; who sees no names reads only what was written for the books, not what banks and people call one another."""
    return memo if named or kind in WRITTEN_FOR_BOOKS else ""


def _account(code: int, name: str, account_id: int | None, accounts: int, amount: int) -> AccountRow:
    debit, credit = _sides(amount)
    return AccountRow(code, name, account_id, accounts, debit, credit)


def _sides(amount: int) -> tuple[int, int]:
    return max(amount, 0), max(-amount, 0)


def _literal(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# where an account ends: kept where it may not be overdrawn, else the sum of its postings, which are not looked at otherwise
_END = """coalesce(b.amount, (SELECT sum(amount) FROM posting WHERE account_id = a.id), 0)::bigint AS amount
  FROM account a LEFT JOIN balance b ON b.account_id = a.id"""

NAMED = """coalesce(
  CASE split_part(a.party, ':', 1)
    WHEN 'household' THEN (SELECT h.name FROM household h WHERE h.id = split_part(a.party, ':', 2)::bigint)
    WHEN 'artisan' THEN (SELECT m.name FROM artisan m WHERE m.id = split_part(a.party, ':', 2)::bigint)
    WHEN 'payment' THEN (SELECT 'Payment ' || y.end_to_end_id FROM payment y WHERE y.id = split_part(a.party, ':', 2)::bigint)
    WHEN 'household_payment' THEN (SELECT 'Payment ' || y.end_to_end_id FROM household_payment y
                                    WHERE y.id = split_part(a.party, ':', 2)::bigint)
  END, nullif(a.party, ''), 'The co-op')"""

NUMBERED = """CASE WHEN a.party = '' THEN 'The co-op' WHEN a.party LIKE 'supplier:%' THEN 'Supplier ' || a.id
  ELSE initcap(replace(replace(a.party, chr(58), ' '), '_', ' ')) END"""
"""Whose an account is, by number alone: for accountants, who learn no names."""

_WHOSE = f"CASE WHEN :named THEN {NAMED} ELSE {NUMBERED} END AS whose"

_OF_CODE = text(f"""
SELECT *, count(*) OVER () AS total FROM (SELECT a.id, {_WHOSE}, {_END} WHERE a.code = :code) accounts
 WHERE whose ILIKE :sought ORDER BY whose, id LIMIT :most OFFSET :skipped
""")  # noqa: S608 - put together from our own texts only

_ACCOUNT = text(f"SELECT a.code, {_WHOSE}, {_END} WHERE a.id = :id")

# the latest balance is where the account ends, those before follow from it: what lies further back is counted, not read
_POSTINGS = text(f"""
WITH latest AS (
  SELECT entry_id, n, amount FROM posting WHERE account_id = :id ORDER BY entry_id DESC, n DESC LIMIT :skipped + :most)
SELECT e.id, e.key, e.kind, coalesce(e.memo, '') AS memo, e.business_date, m.amount, m.balance,
       (SELECT count(*) FROM posting WHERE account_id = :id) AS total
  FROM (SELECT entry_id, n, amount,
               (SELECT {_END} WHERE a.id = :id) - sum(amount) OVER (ORDER BY entry_id DESC, n DESC) + amount AS balance
          FROM latest ORDER BY entry_id DESC, n DESC OFFSET :skipped) m
  JOIN entry e ON e.id = m.entry_id ORDER BY m.entry_id DESC, m.n DESC
""")  # noqa: S608 - as above

_LEDGER = b"""
SELECT e.key, e.kind, e.business_date, coalesce(e.memo, ''), a.code, a.party, p.amount
  FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
 ORDER BY p.entry_id, p.n
"""

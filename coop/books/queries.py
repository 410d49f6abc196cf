"""Ask whether the books keep their rules, and read them out whole."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.books.models import INVARIANTS, ROWS_SHOWN, SEALS, Invariant, Result
from coop.core.errors import NotFound, RuleBroken
from coop.db import raw


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
    rows = session.execute(
        text(
            "SELECT a.code, a.party, coalesce(b.amount, s.amount, 0)::bigint FROM account a"
            " LEFT JOIN balance b ON b.account_id = a.id"
            " LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM posting GROUP BY account_id) s ON s.account_id = a.id"
            " ORDER BY a.code, a.party"
        )
    )
    return [(code, party, amount) for code, party, amount in rows]


def published_proof(session: Session, pool: str) -> tuple[bytes, str]:
    """Return a pool's published proof, compressed, and the digest of its result. Raises `not_found` or `not_published`."""
    found = session.execute(
        text(
            "SELECT f.lines, u.result_digest FROM pool p"
            " LEFT JOIN allocation_run u ON u.pool_id = p.id AND u.state = 'published'"
            " LEFT JOIN proof f ON f.run_id = u.id WHERE p.name = :pool"
        ),
        {"pool": pool},
    ).first()
    if found is None:
        raise NotFound(f"There is no pool called {pool}.")
    if found.lines is None:
        raise RuleBroken("not_published", f"The sharing out of {pool} is not published, so there is no proof yet.")
    return bytes(found.lines), found.result_digest


_LEDGER = b"""
SELECT e.key, e.kind, e.business_date, coalesce(e.memo, ''), a.code, a.party, p.amount
  FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
 ORDER BY p.entry_id, p.n
"""

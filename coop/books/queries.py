"""Ask whether the books keep their rules."""

from datetime import date
from decimal import Decimal

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.books.models import INVARIANTS, ROWS_SHOWN, SEALS, Invariant, Result


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

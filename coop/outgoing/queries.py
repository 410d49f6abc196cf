"""What a line of a bank statement may be that no payment reference explains: each meaning with the row it speaks of.

What was noted by hand was booked then, so the line is only tied to it; a bill paid, or money that came back, is booked by the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

NOTED: Final = "noted"
SUPPLIER: Final = "supplier"
CAME_BACK: Final = "came_back"


class Line(NamedTuple):
    """A line that is asked about: out -, in +."""

    id: int
    minor: int
    booked_on: date
    name: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """`row_id` is the entry noted by hand, the supplier's account, or the line that came back; `whose` its name."""

    kind: str
    row_id: int
    what: str
    whose: str


def meanings(session: Session, lines: Sequence[Line]) -> dict[int, list[Meaning]]:
    """Return what each line may be, the likeliest first; lines that may be nothing known are left out."""
    if not lines:
        return {}
    told = {
        "lines": [line.id for line in lines],
        "minors": [line.minor for line in lines],
        "days": [line.booked_on for line in lines],
        "names": [" ".join(line.name.casefold().split()) for line in lines],
    }
    found: dict[int, list[Meaning]] = {}
    for statement in (_NOTED, _SUPPLIERS, _CAME_BACK):
        for row in session.execute(statement, told):
            found.setdefault(row.line_id, []).append(Meaning(row.kind, row.row_id, row.what, row.whose))
    return found


def noted_alone(session: Session, lines: Sequence[Line]) -> dict[int, int]:
    """Return the entry noted by hand of each line for which there is exactly one, and which no other line could be."""
    noted = {
        line_id: [one.row_id for one in found if one.kind == NOTED]
        for line_id, found in meanings(session, lines).items()
    }
    wanted = [entry_id for entry_ids in noted.values() for entry_id in entry_ids]
    return {one: ids[0] for one, ids in noted.items() if len(ids) == 1 and wanted.count(ids[0]) == 1}


def payouts_noted(session: Session, ids: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return the entries by which payouts were confirmed or taken back by hand, by end-to-end id and the bank's amount."""
    rows = session.execute(_PAYOUTS, {"ids": list(ids)})
    return {(row.end_to_end_id, row.minor): row.entry_id for row in rows}


_ASKED = """
WITH asked AS (
  SELECT * FROM unnest(CAST(:lines AS bigint[]), CAST(:minors AS bigint[]), CAST(:days AS date[]), CAST(:names AS text[]))
    AS a (line_id, minor, booked_on, name))
"""

_NOTED = text(f"""
{_ASKED}, noted AS (
  SELECT e.id, e.kind, e.business_date, sum(p.amount) FILTER (WHERE a.code = 1000) AS minor,
         max(a.party) FILTER (WHERE a.code NOT IN (1000, 5200)) AS party
    FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
   WHERE e.kind IN ('refund', 'supplier_paid', 'advance', 'chargeback', 'manual', 'household_paid') AND e.key NOT LIKE 'bank:%'
     AND e.business_date BETWEEN (SELECT min(booked_on) - 14 FROM asked) AND (SELECT max(booked_on) + 5 FROM asked)
     AND NOT EXISTS (SELECT FROM bank_line b WHERE b.entry_id = e.id)
     AND NOT EXISTS (SELECT FROM entry r WHERE r.reverses_id = e.id)
   GROUP BY e.id)
SELECT q.line_id, 'noted' AS kind, n.id AS row_id, n.kind AS what,
       coalesce(h.name, m.name, i.name, substr(n.party, 10), '') AS whose
  FROM asked q JOIN noted n ON n.minor = q.minor AND n.business_date BETWEEN q.booked_on - 14 AND q.booked_on + 5
  LEFT JOIN household h ON n.party = 'household:' || h.id
  LEFT JOIN artisan m ON n.party = 'artisan:' || m.id
  LEFT JOIN (household_payment y JOIN household i ON i.id = y.household_id) ON n.party = 'household_payment:' || y.id
 ORDER BY q.line_id, abs(n.business_date - q.booked_on), n.id
""")  # noqa: S608 - put together from constants only

_SUPPLIERS = text(f"""
{_ASKED}
SELECT q.line_id, 'supplier' AS kind, a.id AS row_id, 'supplier_paid' AS what, substr(a.party, 10) AS whose
  FROM asked q JOIN account a ON a.code = 2550 JOIN balance b ON b.account_id = a.id
 WHERE q.minor < 0 AND -b.amount >= -q.minor AND q.name <> ''
   AND (lower(substr(a.party, 10)) = q.name OR -b.amount = -q.minor)
 ORDER BY q.line_id, lower(substr(a.party, 10)) = q.name DESC, a.id
""")  # noqa: S608 - put together from constants only

_CAME_BACK = text(f"""
{_ASKED}
SELECT q.line_id, 'came_back' AS kind, b.id AS row_id, e.kind AS what, b.name AS whose
  FROM asked q JOIN bank_line b ON b.amount_minor = -q.minor AND b.booked_on BETWEEN q.booked_on - 60 AND q.booked_on
  JOIN entry e ON e.id = b.entry_id AND e.kind IN ('refund', 'supplier_paid', 'advance')
 WHERE q.minor > 0 AND NOT EXISTS (SELECT FROM bank_line r WHERE r.returns_id = b.id)
 ORDER BY q.line_id, lower(b.name) = q.name DESC, b.booked_on DESC, b.id
""")  # noqa: S608 - put together from constants only

_PAYOUTS = text("""
SELECT p.end_to_end_id, -p.amount_minor AS minor, e.id AS entry_id FROM payment p
  JOIN entry e ON e.id = p.settled_entry_id AND e.key LIKE 'bank:hand:%'
 WHERE p.end_to_end_id = ANY(CAST(:ids AS text[])) AND NOT EXISTS (SELECT FROM bank_line b WHERE b.entry_id = e.id)
UNION ALL
SELECT p.end_to_end_id, p.amount_minor, e.id FROM payment p
  JOIN entry e ON e.id = p.returned_entry_id AND e.key LIKE 'ret%hand'
 WHERE p.end_to_end_id = ANY(CAST(:ids AS text[])) AND NOT EXISTS (SELECT FROM bank_line b WHERE b.entry_id = e.id)
""")

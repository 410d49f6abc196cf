"""How the house is: the last check of the books, the jobs, who is alive, money on its way, room on the disk."""

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from coop import jobs
from coop.books.models import CHECKED, INVARIANTS
from coop.core.errors import NotFound
from coop.counted import queries as counted
from coop.counted.queries import Latest
from coop.standings.queries import Reach, largest_balances

FIRST_ROWS: Final = 50
SILENT_AFTER: Final = timedelta(seconds=30)
OF_RUNS: Final = frozenset(
    {
        jobs.COMPUTE_ALLOCATION,
        jobs.PUBLISH_ALLOCATION,
        jobs.COMPUTE_CORRECTION,
        jobs.PUBLISH_CORRECTION,
        jobs.COMPUTE_PAYOUTS,
    }
)
"""Jobs whose run was marked failed when they died: their run is asked for anew on its own page."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    title: str
    count: int
    rows: list[str]


@dataclass(frozen=True, slots=True)
class Sign:
    """When a part of the house was last known to be alive."""

    name: str
    beat_at: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True)
class JobRow:
    id: int
    job: str
    row_id: int
    created_at: datetime
    attempts: int
    last_error: str
    dead_at: datetime | None
    may_retry: bool


@dataclass(frozen=True, slots=True)
class HealthPage:
    """`rules` as of `checked_at`, None before the first check."""

    checked_at: datetime | None
    clean_at: datetime | None
    is_being_checked: bool
    rules: list[RuleRow]
    broken: int
    signs: list[Sign]
    waiting: int
    oldest: JobRow | None
    dead: list[JobRow]
    in_transit_minor: int
    in_transit_since: date | None
    unmatched_lines: int
    unexpected_minor: int
    reaches: list[Reach]
    counted: list[Latest]
    disk_free: int
    disk_percent: int


_LAST_CHECK = text(f"""
SELECT at, detail FROM audit_record WHERE subject_kind = 'books' AND subject_id = 0 AND act = '{CHECKED}' ORDER BY id DESC LIMIT 1
""")  # noqa: S608 - our own word only

_LAST_CLEAN = text(f"""
SELECT at FROM audit_record WHERE subject_kind = 'books' AND subject_id = 0 AND act = '{CHECKED}' AND detail->'broken' = '[]'
 ORDER BY id DESC LIMIT 1
""")  # noqa: S608 - our own word only

_WAITING = text("""
SELECT count(*) FILTER (WHERE dead_at IS NULL) AS waiting, count(*) FILTER (WHERE job = :check) AS checks
  FROM outbox WHERE done_at IS NULL
""")

_JOB = "SELECT id, job, row_id, created_at, attempts, coalesce(last_error, '') AS last_error, dead_at FROM outbox"
_OLDEST = text(f"{_JOB} WHERE done_at IS NULL AND dead_at IS NULL ORDER BY created_at LIMIT 1")
_DEAD = text(f"{_JOB} WHERE done_at IS NULL AND dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT {FIRST_ROWS}")
_ONE_DEAD = text(f"{_JOB} WHERE done_at IS NULL AND dead_at IS NOT NULL AND id = :id")

_SIGNS = text("""
SELECT w.name, h.beat_at, coalesce(clock_timestamp() - h.beat_at > :silent, true) AS is_silent
  FROM unnest(ARRAY['worker', 'beat']) WITH ORDINALITY AS w (name, n) LEFT JOIN heartbeat h ON h.name = w.name ORDER BY w.n
""")

_MONEY = text("""
SELECT (SELECT coalesce(-sum(b.amount), 0) FROM account a JOIN balance b ON b.account_id = a.id WHERE a.code = 2450) AS in_transit,
       (SELECT min(e.business_date) FROM account a JOIN balance b ON b.account_id = a.id AND b.amount < 0
          JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id WHERE a.code = 2450) AS since,
       (SELECT coalesce(-sum(b.amount), 0) FROM account a JOIN balance b ON b.account_id = a.id WHERE a.code = 2600) AS unexpected,
       (SELECT count(*) FROM bank_line WHERE entry_id IS NULL) AS unmatched
""")


def health_page(session: Session, home: Path, *, today: date) -> HealthPage:
    """Put together how the house is; nothing is checked anew."""
    last = session.execute(_LAST_CHECK).first()
    broken = {rule["id"]: rule for rule in last.detail["broken"]} if last else {}
    waiting = session.execute(_WAITING, {"check": jobs.CHECK_BOOKS}).one()
    oldest = session.execute(_OLDEST).first()
    money = session.execute(_MONEY).one()
    disk = shutil.disk_usage(home if home.exists() else "/")
    return HealthPage(
        checked_at=last.at if last else None,
        clean_at=session.scalar(_LAST_CLEAN),
        is_being_checked=waiting.checks > 0,
        rules=[_rule(rule.id, rule.title, broken.get(rule.id)) for rule in INVARIANTS] if last else [],
        broken=len(broken),
        signs=[Sign(*row) for row in session.execute(_SIGNS, {"silent": SILENT_AFTER})],
        waiting=waiting.waiting,
        oldest=_job(oldest) if oldest else None,
        dead=[_job(row) for row in session.execute(_DEAD)],
        in_transit_minor=int(money.in_transit),
        in_transit_since=money.since,
        unmatched_lines=money.unmatched,
        unexpected_minor=int(money.unexpected),
        reaches=largest_balances(session),
        counted=counted.latest(session, today=today),
        disk_free=disk.free // 2**20,
        disk_percent=100 * disk.free // disk.total,
    )


def dead_job(session: Session, job_id: int) -> JobRow:
    """Return one dead job that nobody has looked at yet."""
    row = session.execute(_ONE_DEAD, {"id": job_id}).first()
    if row is None:
        raise NotFound
    return _job(row)


def _rule(rule_id: str, title: str, found: dict[str, Any] | None) -> RuleRow:
    rows = found["rows"] if found else []
    said = [", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items()) for row in rows]
    return RuleRow(rule_id, title, found["count"] if found else 0, said)


def _job(row: Row[Any]) -> JobRow:
    return JobRow(
        row.id, row.job, row.row_id, row.created_at, row.attempts, row.last_error, row.dead_at, row.job not in OF_RUNS
    )

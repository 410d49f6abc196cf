"""What is to be sent to households: what a file could pay now, what waits and why, and each file with its lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class DueRow:
    """A payment on its way that stands in no file; `waits` says why none can have it yet: "", no_account or account_rests."""

    payment_id: int
    household_id: int
    household: str
    purpose: str
    amount_minor: int
    account_id: int | None
    ending: str
    waits: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file; its state is waiting, withdrawn, made, paid or refused."""

    id: int
    state: str
    asked_at: datetime
    asked_by: str
    payments: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class FilesPage:
    due: list[DueRow]
    files: list[FileRow]

    @property
    def payable(self) -> list[DueRow]:
        return [row for row in self.due if not row.waits]

    @property
    def payable_minor(self) -> int:
        return sum(row.amount_minor for row in self.payable)

    @property
    def one_waits(self) -> int | None:
        """The file that waits for its second person, if one does."""
        return next((row.id for row in self.files if row.state == "waiting"), None)


@dataclass(frozen=True, slots=True)
class LineRow:
    payment_id: int
    household: str
    purpose: str
    amount_minor: int
    ending: str
    end_to_end_id: str
    settled_on: date | None


@dataclass(frozen=True, slots=True)
class FilePage:
    id: int
    state: str
    asked_by: str
    asked_by_viewer: bool
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    sha256: str
    extension: str
    refused_reason: str
    lines: list[LineRow]

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def unpaid(self) -> int:
        """How many of its payments nobody has noted as paid."""
        return sum(1 for line in self.lines if line.settled_on is None)


@dataclass(frozen=True, slots=True)
class Stored:
    name: str
    content: bytes


_DUE = text("""
SELECT y.id, y.household_id, h.name, y.purpose, y.amount_minor, a.id AS account_id, coalesce(a.ending, ''),
       CASE WHEN a.id IS NULL THEN 'no_account' WHEN a.rests_until > :at THEN 'account_rests' ELSE '' END
  FROM household_payment y JOIN household h ON h.id = y.household_id
  LEFT JOIN LATERAL (SELECT id, ending, rests_until FROM household_account WHERE household_id = y.household_id
                      ORDER BY id DESC LIMIT 1) a ON true
 WHERE y.sent_entry_id IS NOT NULL AND y.settled_on IS NULL
   AND NOT EXISTS (SELECT FROM household_file_line l WHERE l.payment_id = y.id AND l.live)
 ORDER BY lower(h.name), y.id
""")

_FILES = """
SELECT f.id, CASE WHEN f.refused_at IS NOT NULL THEN 'refused' WHEN f.state <> 'done' THEN f.state
                  WHEN bool_and(y.settled_on IS NOT NULL) THEN 'paid' ELSE 'made' END AS state,
       f.asked_at, coalesce(w.name, 'the command line') AS asked_by, count(*), sum(y.amount_minor)::bigint
  FROM household_file f JOIN household_file_line l ON l.file_id = f.id JOIN household_payment y ON y.id = l.payment_id
  LEFT JOIN person w ON w.id = f.asked_by {which} GROUP BY f.id, w.name ORDER BY f.id DESC LIMIT 100
"""

_FILE = text("""
SELECT f.asked_by, coalesce(d.name, '') AS decided_by, f.decided_at, coalesce(f.sha256, '') AS sha256,
       coalesce(f.extension, '') AS extension, coalesce(f.refused_reason, '') AS refused_reason
  FROM household_file f LEFT JOIN person d ON d.id = f.decided_by WHERE f.id = :file
""")

_LINES = text("""
SELECT y.id, h.name, y.purpose, y.amount_minor, a.ending, y.end_to_end_id, y.settled_on
  FROM household_file_line l JOIN household_payment y ON y.id = l.payment_id JOIN household h ON h.id = y.household_id
  JOIN household_account a ON a.id = l.account_id WHERE l.file_id = :file ORDER BY lower(h.name), y.id
""")


def due(session: Session, *, at: datetime) -> list[DueRow]:
    """Return the payments on their way that stand in no file."""
    return [DueRow(*row) for row in session.execute(_DUE, {"at": at})]


def files_page(session: Session, *, at: datetime) -> FilesPage:
    """Return what is to be sent, and the latest hundred files."""
    return FilesPage(due(session, at=at), [FileRow(*row) for row in session.execute(text(_FILES.format(which="")))])


def file_page(session: Session, file_id: int, person_id: int) -> FilePage:
    """Return a file with its payments. Raises NotFound."""
    row = session.execute(text(_FILES.format(which="WHERE f.id = :file")), {"file": file_id}).first()
    if row is None:
        raise NotFound
    more = session.execute(_FILE, {"file": file_id}).one()
    return FilePage(
        id=file_id,
        state=row.state,
        asked_by=row.asked_by,
        asked_by_viewer=more.asked_by == person_id,
        asked_at=row.asked_at,
        decided_by=more.decided_by,
        decided_at=more.decided_at,
        sha256=more.sha256,
        extension=more.extension,
        refused_reason=more.refused_reason,
        lines=[LineRow(*line) for line in session.execute(_LINES, {"file": file_id})],
    )


def stored(session: Session, file_id: int) -> Stored:
    """Return the bytes of a file as they were stored. Raises NotFound."""
    row: Any = session.execute(
        text("SELECT message_id, extension, content FROM household_file WHERE id = :file AND content IS NOT NULL"),
        {"file": file_id},
    ).first()
    if row is None:
        raise NotFound
    return Stored(f"{row.message_id}.{row.extension}", bytes(row.content))


def unpaid_of(session: Session, file_id: int) -> Sequence[int]:
    """Return the payments of a live file that nobody has noted as paid."""
    asked = "SELECT y.id FROM household_file_line l JOIN household_payment y ON y.id = l.payment_id WHERE l.file_id = :file AND l.live AND y.settled_on IS NULL ORDER BY y.id"
    return session.scalars(text(asked), {"file": file_id}).all()

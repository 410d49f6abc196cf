"""Keep a CSV file until its columns are known, and remember them for the next one of its kind."""

import hashlib
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from coop.audit import service as audit
from coop.columns.models import BankColumns, WaitingFile
from coop.core.errors import NotFound
from coop.db import Db
from coop.formats.bank_csv import Columns, read_table
from coop.sealing import seal, unseal

KEPT: Final = timedelta(days=1)
_WAITING: Final = "bank file waiting"


def put_by(db: Db, content: bytes, *, by: int, at: datetime, field_key: bytes) -> int:
    """Keep a CSV file, sealed, until its columns are said; return its number. The same file again is kept once."""
    read_table(content)
    digest = hashlib.sha256(content).hexdigest()
    with db.begin() as session:
        session.execute(delete(WaitingFile).where(WaitingFile.sent_at < at - KEPT))
        row = {"sha256": digest, "sealed": seal(content, field_key, purpose=_WAITING), "sent_by": by, "sent_at": at}
        kept = insert(WaitingFile).values(row)
        again = {"sent_at": at, "sent_by": by}
        waiting_id: int = session.execute(
            kept.on_conflict_do_update(index_elements=["sha256"], set_=again).returning(WaitingFile.id)
        ).scalar_one()
        return waiting_id


def content_of(session: Session, waiting_id: int, *, field_key: bytes) -> bytes:
    """Open a file that waits."""
    sealed = session.scalar(select(WaitingFile.sealed).where(WaitingFile.id == waiting_id))
    if sealed is None:
        raise NotFound("This file does not wait any more. Send it again.")
    return unseal(sealed, field_key, purpose=_WAITING)


def drop(session: Session, sha256: str) -> None:
    """Forget a file that waited: it was taken in."""
    session.execute(delete(WaitingFile).where(WaitingFile.sha256 == sha256))


def known(session: Session, headings: tuple[str, ...], *, iban: str) -> Columns | None:
    """Return what was said of files of this account with these headings."""
    said = session.scalar(
        select(BankColumns.columns).where(BankColumns.iban == iban, BankColumns.headings_sha256 == _digest(headings))
    )
    return None if said is None else Columns(**said)


def remember(
    session: Session, headings: tuple[str, ...], columns: Columns, *, iban: str, by: int, at: datetime
) -> None:
    """Keep what a treasurer said of files of this account with these headings."""
    row = {"iban": iban, "headings_sha256": _digest(headings), "columns": asdict(columns), "said_by": by, "said_at": at}
    said = {name: row[name] for name in ("columns", "said_by", "said_at")}
    columns_id = session.execute(
        insert(BankColumns)
        .values(row)
        .on_conflict_do_update(index_elements=["iban", "headings_sha256"], set_=said)
        .returning(BankColumns.id)
    ).scalar_one()
    audit.record(session, "name_columns", by=by, subject=("bank_columns", columns_id), detail=asdict(columns))


def _digest(headings: tuple[str, ...]) -> str:
    return hashlib.sha256("\x1f".join(headings).encode()).hexdigest()

"""Record acts, and seal them so that a later change shows."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.audit.models import AuditRecord
from coop.db import Db

FIRST_LINK = bytes(32)
ONE_SEALS = 7263545
"""Number of the advisory lock of the chain: the app may only insert there, so it may not lock the table."""


def record(
    session: Session,
    act: str,
    *,
    by: int,
    subject: tuple[str, int],
    detail: dict[str, Any] | None = None,
    origin: str | None = None,
) -> None:
    """Write down that a person did something, in the transaction that does it."""
    kind, subject_id = subject
    session.add(
        AuditRecord(actor_id=by, act=act, subject_kind=kind, subject_id=subject_id, detail=detail or {}, origin=origin)
    )


def seal(db: Db) -> int:
    """Put all committed and still unsealed records under one new link of the chain; return how many.

    Ids are taken before a transaction commits, so a link names the very ids it covers instead of "all up to n".
    """
    with db.begin() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ONE_SEALS})
        unsealed = session.execute(
            text(
                f"SELECT {_COLUMNS} FROM audit_record a"  # noqa: S608 - put together from the text below only
                " WHERE NOT a.id <@ coalesce((SELECT range_agg(r) FROM seal, unnest(covered) r), '{}') ORDER BY a.id"
            )
        ).all()
        if not unsealed:
            return 0
        previous = session.scalar(text("SELECT hash FROM seal ORDER BY id DESC LIMIT 1")) or FIRST_LINK
        session.execute(
            text(
                "INSERT INTO seal (covered, previous_hash, hash)"
                " SELECT range_agg(int8range(i, i + 1)), :previous, :hash FROM unnest(CAST(:ids AS bigint[])) i"
            ),
            {"previous": previous, "hash": _link(previous, unsealed), "ids": [row[0] for row in unsealed]},
        )
    return len(unsealed)


def broken_seals(session: Session) -> list[int]:
    """Return the ids of links whose records were changed or taken away, or that do not follow the link before."""
    broken = []
    previous = FIRST_LINK
    rows = session.execute(_SEALED, execution_options={"yield_per": 2000})
    for (link_id, before, kept), records in groupby(rows, key=itemgetter(0, 1, 2)):
        hashed = _link(previous, (record[3:] for record in records if record[3] is not None))
        if bytes(before) != previous or hashed != bytes(kept):
            broken.append(link_id)
        previous = bytes(kept)
    return broken


_COLUMNS = "a.id, extract(epoch FROM a.at)::numeric::text, a.actor_id, a.act, a.subject_kind, a.subject_id, a.detail::text, a.origin"

_SEALED = text(f"""
SELECT s.id, s.previous_hash, s.hash, {_COLUMNS}
  FROM seal s CROSS JOIN LATERAL unnest(s.covered) r LEFT JOIN audit_record a ON a.id >= lower(r) AND a.id < upper(r)
 ORDER BY s.id, a.id
""")  # noqa: S608 - put together from the text above only


def _link(previous: bytes, records: Iterable[Sequence[object]]) -> bytes:
    digest = hashlib.sha256(previous)
    for record in records:
        digest.update(json.dumps(list(record), ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    return digest.digest()

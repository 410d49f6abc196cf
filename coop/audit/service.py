"""Record acts, and seal them so that a later change shows."""

import hashlib
import json
from collections.abc import Iterator
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
        rows = list(
            _canonical(
                session, "id NOT IN (SELECT generate_series(lower(r), upper(r) - 1) FROM seal, unnest(covered) r)"
            )
        )
        if not rows:
            return 0
        previous = session.scalar(text("SELECT hash FROM seal ORDER BY id DESC LIMIT 1")) or FIRST_LINK
        session.execute(
            text(
                "INSERT INTO seal (covered, previous_hash, hash)"
                " SELECT range_agg(int8range(i, i + 1)), :previous, :hash FROM unnest(CAST(:ids AS bigint[])) i"
            ),
            {"previous": previous, "hash": _link(previous, rows), "ids": [row_id for row_id, _ in rows]},
        )
    return len(rows)


def broken_seals(session: Session) -> list[int]:
    """Return the ids of links whose records were changed or taken away, or that do not follow the link before."""
    broken = []
    previous = FIRST_LINK
    links = session.execute(text("SELECT id, previous_hash, hash FROM seal ORDER BY id")).all()
    for link in links:
        rows = list(_canonical(session, "(SELECT covered FROM seal WHERE id = :link) @> id", link=link.id))
        if bytes(link.previous_hash) != previous or _link(previous, rows) != bytes(link.hash):
            broken.append(link.id)
        previous = bytes(link.hash)
    return broken


def _canonical(session: Session, where: str, **values: object) -> Iterator[tuple[int, bytes]]:
    # the condition is one of two written out above, never a person's text
    rows = session.execute(
        text(
            "SELECT id, extract(epoch FROM at)::numeric::text AS at, actor_id, act, subject_kind, subject_id, detail::text AS detail, origin"  # noqa: S608
            f" FROM audit_record WHERE {where} ORDER BY id"
        ),
        values,
    )
    for row in rows:
        yield row.id, json.dumps(list(row), ensure_ascii=True, separators=(",", ":")).encode()


def _link(previous: bytes, rows: list[tuple[int, bytes]]) -> bytes:
    digest = hashlib.sha256(previous)
    for _, line in rows:
        digest.update(line + b"\n")
    return digest.digest()

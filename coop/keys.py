"""Spent idempotency keys: the same key with the same body answers as before, with another body it is refused."""

import hashlib
import json
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.core.errors import RuleBroken
from coop.db import Base, Instant


class SpentKey(Base):
    __tablename__ = "spent_key"

    actor_id: Mapped[int] = mapped_column(primary_key=True, comment="person who acted; 0 for the command line")
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    answer: Mapped[int | None] = mapped_column(comment="id that the command returned")
    at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))


def body_hash(body: dict[str, Any]) -> str:
    """Digest what was asked, so that a key cannot be used for something else."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def spend(session: Session, *, by: int, key: str, body: dict[str, Any]) -> int | None:
    """Claim a key inside the caller's transaction; return the earlier answer if it was spent on the same body.

    Two requests with one key meet at the unique row: the second waits for the first and then reads its answer.
    Raises `key_reused` when the key was spent on another body.
    """
    digest = body_hash(body)
    if session.execute(_SPEND, {"by": by, "key": key, "digest": digest}).first() is not None:
        return None
    spent = session.execute(
        select(SpentKey.body_hash, SpentKey.answer).where(SpentKey.actor_id == by, SpentKey.key == key)
    ).one()
    if spent.body_hash != digest:
        raise RuleBroken(
            "key_reused", "This form was already sent with other values. Reload the page and send it again."
        )
    return spent.answer or 0


def answer(session: Session, *, by: int, key: str, row_id: int) -> None:
    """Keep what the command answered, for whoever sends the same form again."""
    session.execute(_ANSWER, {"by": by, "key": key, "row_id": row_id})


_SPEND = text(
    "INSERT INTO spent_key (actor_id, key, body_hash) VALUES (:by, :key, :digest) ON CONFLICT DO NOTHING RETURNING key"
)
_ANSWER = text("UPDATE spent_key SET answer = :row_id WHERE actor_id = :by AND key = :key")

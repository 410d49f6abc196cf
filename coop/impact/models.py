"""Figures as they were published: frozen, of whole seasons only."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Snapshot(Base):
    """What was published about a season at one time. It is never changed; the next one is another row."""

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("season_id", "taken_at"),)

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    taken_at: Mapped[Instant]
    figures: Mapped[list[Any]] = mapped_column(JSONB)
    by_pool: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'"), comment="paid to makers by pool; empty where it would show one maker"
    )
    behind: Mapped[dict[str, dict[str, int]]] = mapped_column(
        JSONB,
        server_default=text("'{}'"),
        comment="each maker's part of the sums shown; never shown, it decides what may follow",
    )
    published_by: Mapped[int | None]

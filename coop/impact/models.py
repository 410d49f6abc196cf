"""Figures as they were published: frozen, whole seasons only."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Snapshot(Base):
    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("season_id", "taken_at"),)

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    taken_at: Mapped[Instant]
    figures: Mapped[list[Any]] = mapped_column(JSONB)

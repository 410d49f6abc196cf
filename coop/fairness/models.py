"""Reports on seasons as they were worked out: each a version, never changed."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class FairnessReport(Base):
    """How fairly a season was shared out so far: requested -> ready, or failed."""

    __tablename__ = "fairness_report"
    __table_args__ = (
        UniqueConstraint("season_id", "version"),
        CheckConstraint("state IN ('requested', 'ready', 'failed')", "state"),
        CheckConstraint("(state = 'ready') = (figures IS NOT NULL)", "figures"),
        Index("uq_fairness_report_live", "season_id", unique=True, postgresql_where=text("state = 'requested'")),
    )

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default="requested")
    requested_by: Mapped[int]
    requested_at: Mapped[Instant]
    done: Mapped[int] = mapped_column(Integer, server_default="0", comment="steps that the worker has behind it")
    steps: Mapped[int] = mapped_column(Integer, server_default="0", comment="of so many; 0 before it has begun")
    made_at: Mapped[Instant | None]
    failure: Mapped[str | None] = mapped_column(comment="what went wrong, in plain words")
    figures: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="as worked out; households by number, so that an erased one is nameless here too"
    )

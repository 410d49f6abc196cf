"""Containers that left a household, and those counted at the co-op. What went out stands with the hand-overs."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Pieces


class ReturnableMove(Base):
    """Containers of one kind that a household brought back, or whose deposit it forfeited; never changed, only undone."""

    __tablename__ = "returnable_move"
    __table_args__ = (
        CheckConstraint("kind IN ('back', 'forfeited')", "kind"),
        CheckConstraint("CASE WHEN undoes_id IS NULL THEN pieces > 0 ELSE pieces < 0 END", "pieces"),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    type_id: Mapped[int] = mapped_column(ForeignKey("container_type.id"))
    kind: Mapped[str] = mapped_column(comment="back: brought to the co-op; forfeited: the deposit is the co-op's")
    pieces: Mapped[Pieces] = mapped_column(comment="taken off what is out; below 0 where an earlier move is undone")
    entry_id: Mapped[int] = mapped_column(unique=True, comment="entry that moves the deposit")
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("returnable_move.id"), unique=True)
    reason: Mapped[str] = mapped_column(server_default="")
    moved_at: Mapped[Instant]
    moved_by: Mapped[int]


class ContainerCount(Base):
    """Empty containers of one kind that somebody counted at the co-op."""

    __tablename__ = "container_count"
    __table_args__ = (CheckConstraint("pieces >= 0", "pieces"), Index(None, "type_id"))

    id: Mapped[Identity]
    type_id: Mapped[int] = mapped_column(ForeignKey("container_type.id"))
    pieces: Mapped[Pieces] = mapped_column(comment="empty ones that stood at the co-op")
    expected: Mapped[Pieces] = mapped_column(comment="what the count before and what came back since made of it")
    note: Mapped[str] = mapped_column(server_default="")
    counted_at: Mapped[Instant]
    counted_by: Mapped[int]

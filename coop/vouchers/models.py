"""Entries by hand, from the writing to the decision."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Voucher(Base):
    """What one person wrote: waiting -> posted by another, or withdrawn."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'posted', 'withdrawn')", "state"),
        CheckConstraint("state <> 'posted' OR decided_by <> written_by", "second_person"),
        CheckConstraint("(state = 'posted') = (entry_id IS NOT NULL)", "entry"),
        CheckConstraint("reason <> ''", "reason"),
    )

    id: Mapped[Identity]
    business_date: Mapped[date]
    reason: Mapped[str]
    lines: Mapped[Any] = mapped_column(JSONB, comment="[[account, debit + or credit -], ...]")
    state: Mapped[str]
    written_by: Mapped[int]
    written_at: Mapped[Instant]
    decided_by: Mapped[int | None]
    decided_at: Mapped[Instant | None]
    entry_id: Mapped[int | None]

"""Shares that a household pays by a standing order."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class StandingPayment(Base):
    """A household says that it pays a share monthly; what is expected when stands in the share's instalments."""

    __tablename__ = "standing_payment"
    __table_args__ = (
        CheckConstraint("months BETWEEN 2 AND 24", "months"),
        Index("uq_standing_payment_current", "share_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Identity]
    share_id: Mapped[int] = mapped_column(ForeignKey("season_share.id"))
    months: Mapped[int] = mapped_column(Integer)
    first_due_on: Mapped[date]
    agreed_at: Mapped[Instant]
    agreed_by: Mapped[int]
    ended_at: Mapped[Instant | None]

"""Payments that arrived for a household."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class RecordedPayment(Base):
    """Money that arrived for a household, by its payment reference or as a treasurer says: for a season share, as credit, as a gift, as capital."""

    __tablename__ = "recorded_payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", "amount"),
        CheckConstraint("purpose IN ('share', 'credit', 'gift', 'capital', 'reserve')", "purpose"),
        CheckConstraint("(purpose = 'share') = (share_id IS NOT NULL)", "share"),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    share_id: Mapped[int | None] = mapped_column(ForeignKey("season_share.id"))
    purpose: Mapped[str]
    amount_minor: Mapped[Minor]
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(unique=True, comment="as the bank or the till names it")
    line_id: Mapped[int | None] = mapped_column(
        index=True, comment="line of a bank statement that it was found on; a line may be split over several payments"
    )
    entry_id: Mapped[int] = mapped_column(unique=True)
    recorded_by: Mapped[int]
    recorded_at: Mapped[Instant]

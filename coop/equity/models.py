"""Money on its way from the co-op to a household."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class HouseholdPayment(Base):
    """The cash part of a dividend, capital bought back, or credit paid back; it is paid when the bank says so, or a treasurer does."""

    __tablename__ = "household_payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", "amount"),
        CheckConstraint("purpose IN ('dividend', 'buyback', 'refund')", "purpose"),
        CheckConstraint("(settled_on IS NULL) = (settled_entry_id IS NULL)", "settled"),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    purpose: Mapped[str]
    amount_minor: Mapped[Minor]
    end_to_end_id: Mapped[str] = mapped_column(unique=True, comment="what the treasurer gives the bank: A-Z 0-9")
    sent_entry_id: Mapped[int | None] = mapped_column(unique=True)
    made_at: Mapped[Instant]
    settled_on: Mapped[date | None]
    settled_entry_id: Mapped[int | None] = mapped_column(unique=True)

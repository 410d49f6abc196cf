"""Tiers: what a household pays of each price, from a day until another."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class HardshipTier(Base):
    """What a household pays of the price while it lasts; below 10000 the fund bears the rest, above it the fund gets it."""

    __tablename__ = "hardship_tier"
    __table_args__ = (
        CheckConstraint("tier_bp BETWEEN 0 AND 20000", "tier"),
        Index("uq_hardship_tier_current", "household_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    tier_bp: Mapped[int] = mapped_column(Integer, comment="the household's part of the price, basis points")
    through: Mapped[date] = mapped_column(comment="last day on which orders are helped")
    reason: Mapped[str] = mapped_column(comment="for those who grant it; never shown to others")
    granted_by: Mapped[int]
    granted_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    ended_by: Mapped[int | None]

"""Payments recorded by hand, and what the bank says happened."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class RecordedPayment(Base):
    """Money that arrived for a household, by its payment reference or as a treasurer says: for a season share, as credit, as a gift."""

    __tablename__ = "recorded_payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", "amount"),
        CheckConstraint("purpose IN ('share', 'credit', 'gift')", "purpose"),
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
    entry_id: Mapped[int] = mapped_column(unique=True)
    recorded_by: Mapped[int]
    recorded_at: Mapped[Instant]


class BankStatement(Base):
    __tablename__ = "bank_statement"

    id: Mapped[Identity]
    sha256: Mapped[str] = mapped_column(unique=True)
    bytes: Mapped[bytes] = mapped_column(LargeBinary)
    statement_reference: Mapped[str]
    opening_minor: Mapped[Minor]
    closing_minor: Mapped[Minor]
    closes_on: Mapped[date]
    imported_by: Mapped[int]
    imported_at: Mapped[Instant]


class BankLine(Base):
    __tablename__ = "bank_line"
    __table_args__ = (UniqueConstraint("reference"), Index(None, "statement_id"))

    id: Mapped[Identity]
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"))
    reference: Mapped[str] = mapped_column(comment="the bank's own; without one, the file's digest and the position")
    amount_minor: Mapped[Minor] = mapped_column(comment="in +, out -")
    booked_on: Mapped[date]
    end_to_end_id: Mapped[str | None]
    words: Mapped[str] = mapped_column(server_default="")
    name: Mapped[str] = mapped_column(server_default="", comment="who paid or was paid, as the bank writes it")
    entry_id: Mapped[int | None] = mapped_column(comment="entry that books it; null while unmatched")

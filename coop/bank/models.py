"""What the bank says happened: statements and their lines."""

from datetime import date

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class BankStatement(Base):
    __tablename__ = "bank_statement"

    id: Mapped[Identity]
    sha256: Mapped[str] = mapped_column(unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="the file, AES-GCM under the field key")
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
    payer_hash: Mapped[str | None] = mapped_column(comment="keyed hash of the other side's IBAN")
    iban_ending: Mapped[str] = mapped_column(server_default="", comment="its last four characters")
    entry_id: Mapped[int | None] = mapped_column(index=True, comment="entry that books it; null while unmatched")
    returns_id: Mapped[int | None] = mapped_column(
        ForeignKey("bank_line.id"), unique=True, comment="the line whose money came back by this one"
    )

"""Documents as they were written, the sellers whose names stand on them, and the papers they were laid out on. Rows are added, never changed."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor, Pieces

KINDS = ("invoice", "receipt", "credit_note")


class Seller(Base):
    """In whose name documents are written, from when it was said on; the latest row of a maker, or of the co-op itself, counts."""

    __tablename__ = "seller"
    __table_args__ = (
        CheckConstraint("length(legal_name) BETWEEN 1 AND 120 AND length(address) BETWEEN 1 AND 400", "words"),
        Index(None, "artisan_id", "id"),
    )

    id: Mapped[Identity]
    artisan_id: Mapped[int | None] = mapped_column(ForeignKey("artisan.id"), comment="null: the co-op itself")
    legal_name: Mapped[str]
    address: Mapped[str] = mapped_column(comment="lines, as they stand on a document")
    tax_number: Mapped[str] = mapped_column(comment="empty where the seller is not liable for tax")
    set_by: Mapped[int]
    set_at: Mapped[Instant]


class InvoiceAddress(Base):
    """What a household wants under its name on documents; the latest row counts."""

    __tablename__ = "invoice_address"
    __table_args__ = (CheckConstraint("length(address) <= 400", "address"), Index(None, "household_id", "id"))

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    address: Mapped[str]
    set_by: Mapped[int]
    set_at: Mapped[Instant]


class DocumentSeries(Base):
    """The last number of a series; whoever writes into it holds the row until commit, so numbers have no gaps."""

    __tablename__ = "document_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(Integer)


class Document(Base):
    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("series", "number"),
        CheckConstraint(f"kind IN {KINDS}", "kind"),
        CheckConstraint("starts <= ends", "days"),
        Index(None, "household_id", "id"),
    )

    id: Mapped[Identity]
    kind: Mapped[str]
    series: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    seller_id: Mapped[int] = mapped_column(ForeignKey("seller.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    addressee: Mapped[str] = mapped_column(comment="name and address as they were then")
    starts: Mapped[date] = mapped_column(comment="day of the first line")
    ends: Mapped[date]
    issued_on: Mapped[date]
    issued_at: Mapped[Instant]
    issued_by: Mapped[int] = mapped_column(comment="who asked for it; 0 for the clock")
    reason: Mapped[str] = mapped_column(server_default="", comment="why something is put right")
    gross_minor: Mapped[Minor] = mapped_column(comment="sum of its lines, tax inside, deposits apart")
    tax_minor: Mapped[Minor]
    fund_minor: Mapped[Minor] = mapped_column(
        comment="what the hardship fund bears of it; below zero where the household paid more"
    )
    deposit_minor: Mapped[Minor]


class DocumentLine(Base):
    """A line and the one fact that it stands for; each fact stands on one document only."""

    __tablename__ = "document_line"
    __table_args__ = (
        CheckConstraint("num_nonnulls(hand_over_id, credit_note_id, taken_back_id, entry_id) = 1", "fact"),
        Index(
            "uq_document_line_hand_over",
            "hand_over_id",
            "line_id",
            unique=True,
            postgresql_where=text("hand_over_id IS NOT NULL"),
        ),
        Index(
            "uq_document_line_credit_note",
            "credit_note_id",
            unique=True,
            postgresql_where=text("credit_note_id IS NOT NULL"),
        ),
        Index(
            "uq_document_line_taken_back",
            "taken_back_id",
            unique=True,
            postgresql_where=text("taken_back_id IS NOT NULL"),
        ),
        Index("uq_document_line_entry", "entry_id", unique=True, postgresql_where=text("entry_id IS NOT NULL")),
        Index("ix_document_line_line_id", "line_id", postgresql_where=text("line_id IS NOT NULL")),
    )

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    happened_on: Mapped[date]
    words: Mapped[str]
    pieces: Mapped[Pieces] = mapped_column(server_default="0")
    unit_minor: Mapped[Minor] = mapped_column(server_default="0")
    gross_minor: Mapped[Minor]
    rate_bp: Mapped[int] = mapped_column(Integer, server_default="0", comment="of the tax inside gross")
    tax_minor: Mapped[Minor] = mapped_column(server_default="0")
    fund_minor: Mapped[Minor] = mapped_column(server_default="0")
    deposit_minor: Mapped[Minor] = mapped_column(server_default="0")
    line_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"))
    hand_over_id: Mapped[int | None] = mapped_column(
        ForeignKey("hand_over.id"), comment="what was fetched, or that it was not"
    )
    credit_note_id: Mapped[int | None] = mapped_column(ForeignKey("credit_note.id"), comment="pieces found bad")
    taken_back_id: Mapped[int | None] = mapped_column(
        ForeignKey("credit_note.id"), comment="a credit note that was made in error"
    )
    entry_id: Mapped[int | None] = mapped_column(comment="a payment, or the reversal of one")


class DocumentReference(Base):
    """An earlier document that one puts right."""

    __tablename__ = "document_reference"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    earlier_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)


class DocumentPaper(Base):
    """The PDF of a document; it is never laid out again, so each download gives the same bytes."""

    __tablename__ = "document_paper"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    made_at: Mapped[Instant]

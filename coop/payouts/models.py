"""What each maker is paid: runs, numbered statements, payments, and the bank file as it was stored."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor, Pieces

WITH_THE_BANK = ("file_made", "submitting", "uncertain", "submitted")
"""States of a run whose bank file is made and whose payments are not all settled."""

RUN_STATES = ("requested", "computed", "approved", *WITH_THE_BANK, "settled", "partly_returned", "closed", "failed", "cancelled")  # fmt: skip


class PayoutRun(Base):
    """requested -> computed -> approved -> file_made -> submitting -> submitted or uncertain -> settled or partly_returned -> closed.

    Cancelled before the file is made; what the bank did not accept is file_made again.
    """

    __tablename__ = "payout_run"
    __table_args__ = (
        CheckConstraint(f"state IN {RUN_STATES}", "state"),
        CheckConstraint("recoup_bp BETWEEN 0 AND 10000", "recoup"),
        CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", "second_person"),
        Index(
            "uq_payout_run_open",
            text("(true)"),
            unique=True,
            postgresql_where=text("state IN ('requested', 'computed', 'approved')"),
        ),
    )

    id: Mapped[Identity]
    through: Mapped[date] = mapped_column(comment="last business date of what is paid")
    minimum_minor: Mapped[Minor]
    recoup_bp: Mapped[int] = mapped_column(
        Integer,
        server_default="0",
        comment="most of each payout, in basis points, that goes against the maker's advance",
    )
    held: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default="{}", comment="makers this run leaves unpaid"
    )
    state: Mapped[str] = mapped_column(server_default="requested")
    requested_by: Mapped[int]
    requested_at: Mapped[Instant]
    computed_at: Mapped[Instant | None]
    approved_by: Mapped[int | None]
    approved_at: Mapped[Instant | None]
    file_made_at: Mapped[Instant | None]
    settled_at: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]
    closed_by: Mapped[int | None]
    failure: Mapped[str | None] = mapped_column(comment="what went wrong last, in plain words")


class Statement(Base):
    """What a maker is told about one payout; numbered without gaps in its series."""

    __tablename__ = "statement"
    __table_args__ = (
        UniqueConstraint("series", "number"),
        UniqueConstraint("run_id", "artisan_id"),
        CheckConstraint("set_off_minor >= 0 AND recouped_minor >= 0", "taken_off"),
        Index(None, "artisan_id"),
    )

    id: Mapped[Identity]
    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"))
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    series: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    sold_minor: Mapped[Minor] = mapped_column(comment="price of all pieces handed over, deposits apart")
    fee_minor: Mapped[Minor]
    tax_minor: Mapped[Minor] = mapped_column(comment="tax inside the fee")
    earned_minor: Mapped[Minor] = mapped_column(comment="sum of its lines: what the maker's account gained")
    deposit_minor: Mapped[Minor] = mapped_column(
        server_default="0", comment="on what was handed over; the co-op's to keep"
    )
    carried_minor: Mapped[Minor] = mapped_column(
        server_default="0", comment="earned through the run before this one, of which it waited"
    )
    set_off_minor: Mapped[Minor] = mapped_column(server_default="0", comment="what the maker owed, taken off")
    recouped_minor: Mapped[Minor] = mapped_column(server_default="0", comment="taken off against the maker's advance")
    payable_minor: Mapped[Minor] = mapped_column(comment="what is paid: earned less set off and recouped")


class StatementLine(Base):
    """A posting on the maker's account that this statement pays, with what it says; a posting stands on one live statement only."""

    __tablename__ = "statement_line"
    __table_args__ = (Index("uq_statement_line_live", "entry_id", "n", unique=True, postgresql_where=text("live")),)

    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    amount_minor: Mapped[Minor]
    live: Mapped[bool] = mapped_column(server_default=text("true"), comment="false once the run was cancelled")
    offering_id: Mapped[int | None] = mapped_column(
        comment="what was sold; null where the line is a payment that came back"
    )
    pieces: Mapped[Pieces] = mapped_column(server_default="0")
    sold_minor: Mapped[Minor] = mapped_column(server_default="0")
    fee_minor: Mapped[Minor] = mapped_column(server_default="0")
    tax_minor: Mapped[Minor] = mapped_column(server_default="0")


class Payment(Base):
    """Money on its way to one maker; it is paid when the bank says so."""

    __tablename__ = "payment"
    __table_args__ = (CheckConstraint("amount_minor > 0", "amount"),)

    id: Mapped[Identity]
    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), unique=True)
    bank_details_id: Mapped[int] = mapped_column(ForeignKey("bank_details.id"))
    amount_minor: Mapped[Minor]
    end_to_end_id: Mapped[str] = mapped_column(unique=True, comment="at most 35 of A-Z 0-9")
    sent_entry_id: Mapped[int | None] = mapped_column(unique=True, comment="set when the bank file is made")
    settled_on: Mapped[date | None]
    settled_entry_id: Mapped[int | None]
    returned_on: Mapped[date | None] = mapped_column(
        comment="came back after it was settled, or was refused before it moved"
    )
    returned_entry_id: Mapped[int | None]
    refused_on: Mapped[date | None] = mapped_column(comment="the bank refused it before any money moved")
    refused_entry_id: Mapped[int | None]
    reason_code: Mapped[str] = mapped_column(
        server_default="", comment="why it was refused or came back, as the bank codes it: AC04, R02"
    )


class BankFile(Base):
    """The bytes for the bank, stored before anybody can download them; every download gives the same."""

    __tablename__ = "bank_file"

    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    extension: Mapped[str] = mapped_column(server_default="xml", comment="how its name ends: xml, ach, csv")
    bytes: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    made_at: Mapped[Instant]


class Submission(Base):
    """One handing in of a run's bank file, written before the bank gets it; without an outcome it is under way or in doubt."""

    __tablename__ = "payout_submission"
    __table_args__ = (
        CheckConstraint("outcome IN ('accepted', 'not_accepted')", "outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", "ended"),
        Index("uq_payout_submission_open", "run_id", unique=True, postgresql_where=text("outcome IS NULL")),
    )

    id: Mapped[Identity]
    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"))
    by_folder: Mapped[bool] = mapped_column(
        comment="the worker puts it into the bank's folder; else a person hands it in"
    )
    sha256: Mapped[str] = mapped_column(comment="of the bytes handed in: the stored file's own")
    begun_by: Mapped[int]
    begun_at: Mapped[Instant]
    started_at: Mapped[Instant | None] = mapped_column(comment="when the worker went to the folder; it goes there once")
    outcome: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="", comment="how that is known")
    ended_by: Mapped[int | None]
    ended_at: Mapped[Instant | None]

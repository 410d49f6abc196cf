"""What the columns of a bank's CSV files are, and files that wait for a treasurer to say so."""

from typing import Any

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class BankColumns(Base):
    """What a treasurer said of one kind of CSV file of one account; said again, it replaces what was said."""

    __tablename__ = "bank_columns"
    __table_args__ = (UniqueConstraint("iban", "headings_sha256"),)

    id: Mapped[Identity]
    iban: Mapped[str] = mapped_column(comment="the co-op's own account")
    headings_sha256: Mapped[str] = mapped_column(comment="digest of the file's headings in their order")
    columns: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="the fields of formats.bank_csv.Columns")
    said_by: Mapped[int]
    said_at: Mapped[Instant]


class WaitingFile(Base):
    """A CSV file that waits for its columns or its balance; it is gone once taken in, or after a day."""

    __tablename__ = "bank_file_waiting"

    id: Mapped[Identity]
    sha256: Mapped[str] = mapped_column(unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="the file, AES-GCM under the field key")
    sent_by: Mapped[int]
    sent_at: Mapped[Instant]

"""Every act, and the seals over acts that show if one was changed afterwards."""

from typing import Any

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class AuditRecord(Base):
    __tablename__ = "audit_record"
    __table_args__ = (Index(None, "subject_kind", "subject_id"),)

    id: Mapped[Identity]
    at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    actor_id: Mapped[int] = mapped_column(comment="person who acted; 0 for the command line and the clock")
    act: Mapped[str] = mapped_column(comment="the command, in its own words: report_yield")
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="before and after; never bank details or passwords")
    origin: Mapped[str | None] = mapped_column(comment="network address the act came from")


class Seal(Base):
    """One link of the chain: a hash over the rows it covers and over the link before."""

    __tablename__ = "seal"

    id: Mapped[Identity]
    covered: Mapped[Any] = mapped_column(INT8MULTIRANGE, comment="ids of the audit records under this seal")
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))

"""Status reports of the bank that were read; the same file again changes nothing."""

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class StatusReportRead(Base):
    __tablename__ = "status_report"

    id: Mapped[Identity]
    run_id: Mapped[int] = mapped_column(ForeignKey("payout_run.id"))
    sha256: Mapped[str] = mapped_column(unique=True)
    report_reference: Mapped[str] = mapped_column(comment="the bank's own")
    status: Mapped[str] = mapped_column(comment='of the whole file, as the bank codes it; "" where it says nothing')
    refused: Mapped[int] = mapped_column(Integer, comment="payments refused by this report")
    read_by: Mapped[int]
    read_at: Mapped[Instant]

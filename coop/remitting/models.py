"""Bank files for payments to households, and what stands in each."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Instant
from coop.seconding.models import Seconded, seconded


class HouseholdFile(Seconded, Base):
    """Payments that one person gathers; when a second approves, the file's bytes are stored before anybody has them."""

    __tablename__ = "household_file"
    __table_args__ = (
        *seconded(),
        CheckConstraint("(state = 'done') = (content IS NOT NULL)", "stored"),
        CheckConstraint("refused_at IS NULL OR state = 'done'", "refused"),
        Index("uq_household_file_open", text("(true)"), unique=True, postgresql_where=text("state = 'waiting'")),
    )

    message_id: Mapped[str | None] = mapped_column(unique=True)
    extension: Mapped[str | None] = mapped_column(comment="how its name ends: xml, ach, csv")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str | None]
    refused_at: Mapped[Instant | None] = mapped_column(comment="when it was noted that the bank did not take the file")
    refused_by: Mapped[int | None]
    refused_reason: Mapped[str | None]


class HouseholdFileLine(Base):
    """A payment in a file, with the account it goes to; a payment stands in one live file only."""

    __tablename__ = "household_file_line"
    __table_args__ = (Index("uq_household_file_line_live", "payment_id", unique=True, postgresql_where=text("live")),)

    file_id: Mapped[int] = mapped_column(ForeignKey("household_file.id"), primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("household_payment.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("household_account.id"))
    live: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="false once the file was withdrawn or refused by the bank"
    )

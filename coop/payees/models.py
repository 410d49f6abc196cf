"""The bank accounts of households."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class HouseholdAccount(Base):
    """Where a household is paid; the latest row counts, encrypted, shown only by its last four characters."""

    __tablename__ = "household_account"
    __table_args__ = (CheckConstraint("scheme IN ('iban', 'us')", "scheme"), Index(None, "household_id"))

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    scheme: Mapped[str] = mapped_column(
        comment="iban, or us: routing number, account number and kind are sealed together"
    )
    holder: Mapped[str]
    number_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="AES-GCM under the field key")
    ending: Mapped[str]
    set_by: Mapped[int]
    set_at: Mapped[Instant]
    rests_until: Mapped[Instant | None] = mapped_column(comment="nothing is paid to it before; null for a first one")

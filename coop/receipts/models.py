"""The bank accounts that households paid from, known again by a keyed hash alone."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base


class PayerAccount(Base):
    """An account that a payment of a household came from; the number itself is not kept."""

    __tablename__ = "payer_account"

    payer_hash: Mapped[str] = mapped_column(primary_key=True, comment="HMAC-SHA-256 of the IBAN under the field key")
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), primary_key=True)
    last_on: Mapped[date]

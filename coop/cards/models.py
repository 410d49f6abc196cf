"""Payments by card that were begun, and what the provider said of them."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class CardPayment(Base):
    __tablename__ = "card_payment"
    __table_args__ = (CheckConstraint("amount_minor > 0", "amount"),)

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    purpose: Mapped[str] = mapped_column(comment="share, credit or gift")
    amount_minor: Mapped[Minor]
    currency: Mapped[str]
    session_ref: Mapped[str | None] = mapped_column(unique=True, comment="the provider's payment page")
    url: Mapped[str | None]
    payment_ref: Mapped[str | None] = mapped_column(
        unique=True, comment="the provider's payment, known once it is paid"
    )
    entry_id: Mapped[int | None] = mapped_column(comment="entry that books it; null until the provider says it is paid")
    given_back_minor: Mapped[Minor] = mapped_column(server_default="0", comment="refunded in all")
    begun_at: Mapped[Instant]
    begun_by: Mapped[int]


class CardMessage(Base):
    """A signed message of the provider, once; outcome: booked, parked until its payment is known, ignored, or refused and why."""

    __tablename__ = "card_message"

    id: Mapped[Identity]
    event_ref: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    session_ref: Mapped[str]
    payment_ref: Mapped[str] = mapped_column(index=True)
    minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    currency: Mapped[str]
    outcome: Mapped[str]
    heard_at: Mapped[Instant]

"""Where and when households fetch what they got, and the ticking off."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor, Pieces


class PickupPoint(Base):
    __tablename__ = "pickup_point"

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(unique=True)
    place: Mapped[str] = mapped_column(comment="street and town")
    hours: Mapped[str] = mapped_column(comment="in words: Wednesdays 16:00 to 19:00")
    ended_at: Mapped[Instant | None]


class PickupChoice(Base):
    """Where a household picks up; the latest row counts."""

    __tablename__ = "pickup_choice"
    __table_args__ = (Index(None, "household_id", "id"),)

    id: Mapped[Identity]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"))
    chosen_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))


class HandOver(Base):
    """One ticking off: pieces of one order given to its household. Money is earned here.

    One that was ticked in error is undone by another with the same pieces below zero.
    """

    __tablename__ = "hand_over"
    __table_args__ = (
        CheckConstraint("age_checked_minimum IS NULL OR age_checked_minimum > 0", "age"),
        Index(None, "order_id"),
    )

    id: Mapped[Identity]
    order_id: Mapped[int] = mapped_column(ForeignKey("household_order.id"))
    entry_id: Mapped[int | None] = mapped_column(unique=True, comment="the entry that earns it; null when it was free")
    handed_at: Mapped[Instant]
    handed_by: Mapped[int]
    age_checked_minimum: Mapped[int | None] = mapped_column(
        Integer, comment="age that the packer confirmed to have checked"
    )
    undoes_id: Mapped[int | None] = mapped_column(
        ForeignKey("hand_over.id"), unique=True, comment="the hand-over that was ticked in error"
    )


class HandOverLine(Base):
    __tablename__ = "hand_over_line"
    __table_args__ = (
        CheckConstraint("pieces <> 0", "pieces"),
        Index(None, "line_id"),
    )

    hand_over_id: Mapped[int] = mapped_column(ForeignKey("hand_over.id"), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    pieces: Mapped[Pieces]
    fee_minor: Mapped[Minor] = mapped_column(comment="co-op fee of these pieces, tax included")
    tax_minor: Mapped[Minor] = mapped_column(comment="tax inside the fee, or inside the price in resale")
    net_minor: Mapped[Minor] = mapped_column(comment="what the maker earned with them")
    fund_minor: Mapped[Minor] = mapped_column(
        server_default="0", comment="what the hardship fund bears of these pieces; below zero what it got"
    )


class FeeChange(Base):
    """The co-op fee of one line from now on, for all its pieces; what it changes for those handed over before is booked at once."""

    __tablename__ = "fee_change"
    __table_args__ = (CheckConstraint("fee_bp BETWEEN 0 AND 5000", "fee"), Index(None, "line_id", "id"))

    id: Mapped[Identity]
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    fee_bp: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    entry_id: Mapped[int | None] = mapped_column(unique=True, comment="null where nothing was to be booked by itself")
    fee_minor: Mapped[Minor] = mapped_column(
        comment="what the fee of pieces handed over before changes by, tax included"
    )
    tax_minor: Mapped[Minor]
    net_minor: Mapped[Minor] = mapped_column(comment="what the makers' net changes by")
    changed_by: Mapped[int]
    changed_at: Mapped[Instant]


class CreditNote(Base):
    """Pieces of a line found bad after they were handed over: their price goes back, deposits stay."""

    __tablename__ = "credit_note"
    __table_args__ = (CheckConstraint("pieces > 0", "pieces"), Index(None, "line_id"))

    id: Mapped[Identity]
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    pieces: Mapped[Pieces]
    reason: Mapped[str]
    entry_id: Mapped[int | None] = mapped_column(unique=True, comment="null when the pieces were free")
    gross_minor: Mapped[Minor] = mapped_column(comment="price that goes back to household and hardship fund")
    fund_minor: Mapped[Minor] = mapped_column(comment="of it to the fund")
    fee_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    net_minor: Mapped[Minor] = mapped_column(comment="what the makers give back")
    noted_by: Mapped[int]
    noted_at: Mapped[Instant]
    reversed_id: Mapped[int | None] = mapped_column(comment="the entry that took the note back; it counts no more then")

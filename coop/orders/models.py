"""What households ask of a pool."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor, Pieces


class HouseholdOrder(Base):
    """What one household asks of one pool."""

    __tablename__ = "household_order"
    __table_args__ = (
        UniqueConstraint("pool_id", "household_id"),
        CheckConstraint("most_minor >= 0", "most"),
        CheckConstraint("recipe IN ('written', 'no_credit', 'refused')", "recipe"),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    placed_at: Mapped[Instant]
    edited_at: Mapped[Instant | None]
    edits: Mapped[int] = mapped_column(
        Integer, server_default="0", comment="how often it was changed; part of the key of its entries"
    )
    most_minor: Mapped[Minor | None] = mapped_column(
        comment="the most the household lets this order cost; null for no bound but its credit"
    )
    recipe: Mapped[str | None] = mapped_column(
        comment="what came of the recipe of the household's season share; null where it had none, or had ordered before"
    )


class OrderLine(Base):
    """A wish on one offering; wish 0 means taken back before the cut-off, `ordered_at` is when it was last raised."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "offering_id"),
        CheckConstraint("wish >= 0 AND up_to >= wish", "wish"),
        CheckConstraint("unit_minor >= 0 AND deposit_minor >= 0", "price"),
        CheckConstraint("fund_minor <= up_to * unit_minor", "fund"),
        CheckConstraint("(choice IS NULL) = (rank IS NULL) AND (choice IS NULL) = (held_minor IS NULL)", "choice"),
        Index(None, "offering_id"),
    )

    id: Mapped[Identity]
    order_id: Mapped[int] = mapped_column(ForeignKey("household_order.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    wish: Mapped[Pieces]
    up_to: Mapped[Pieces]
    unit_minor: Mapped[Minor] = mapped_column(comment="price of a piece as shown when it was ordered")
    deposit_minor: Mapped[Minor] = mapped_column(server_default="0")
    choice: Mapped[int | None] = mapped_column(
        Integer, comment="number of the choice within the order that this line is an alternative of"
    )
    rank: Mapped[int | None] = mapped_column(Integer, comment="place in the choice: 1 is liked best")
    held_minor: Mapped[Minor | None] = mapped_column(
        comment="what is held for the line of a choice: its dearest outcome is held on one of its lines"
    )
    fund_minor: Mapped[Minor] = mapped_column(
        server_default="0",
        comment="what the hardship fund bears of up_to pieces, deposits apart; below zero it gets it",
    )
    fund_held_minor: Mapped[Minor] = mapped_column(
        server_default="0", comment="what of the hold comes from the hardship fund until the pool is shared out"
    )
    ordered_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))

"""Pools, and what is offered in them."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class Pool(Base):
    __tablename__ = "pool"
    __table_args__ = (UniqueConstraint("season_id", "name"), CheckConstraint("opens_at < closes_at", "order"))

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    name: Mapped[str] = mapped_column(unique=True)
    opens_at: Mapped[Instant] = mapped_column(comment="planned opening; weights are those held at this instant")
    closes_at: Mapped[Instant] = mapped_column(comment="cut-off, announced before opening")
    pickup_on: Mapped[date] = mapped_column(comment="the day of the hand-over, and its business date")
    opened_at: Mapped[Instant | None] = mapped_column(
        comment="when orders really opened; from here on rule, caps and prices stand"
    )
    opened_by: Mapped[int | None]
    closed_at: Mapped[Instant | None] = mapped_column(
        comment="when it was closed; never before the cut-off unless nobody ordered"
    )
    closed_by: Mapped[int | None]
    made_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    shelf_version: Mapped[UUID] = mapped_column(
        server_default=text("gen_random_uuid()"),
        comment="another whenever the order of its batches may be: by what is offered, and by names",
    )


class Offering(Base):
    __tablename__ = "offering"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", "price"),
        CheckConstraint("deposit_minor >= 0", "deposit"),
        CheckConstraint("(container_type_id IS NULL) = (deposit_minor = 0)", "container"),
        CheckConstraint("containers_each > 0", "containers_each"),
        CheckConstraint("cost_minor >= 0", "cost"),
        CheckConstraint("cap IS NULL OR cap > 0", "cap"),
        CheckConstraint("surplus IN ('next_pool', 'artisan')", "surplus"),
        Index(None, "pool_id"),
    )

    id: Mapped[Identity]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), unique=True, comment="the batch that serves it")
    terms_id: Mapped[int] = mapped_column(ForeignKey("artisan_terms.id"))
    price_minor: Mapped[Minor]
    deposit_minor: Mapped[Minor] = mapped_column(server_default="0")
    container_type_id: Mapped[int | None] = mapped_column(ForeignKey("container_type.id"))
    containers_each: Mapped[int] = mapped_column(
        Integer, server_default="1", comment="returnable containers that go out with a piece"
    )
    cost_minor: Mapped[Minor] = mapped_column(
        server_default="0",
        comment="what the maker gets for a piece in resale; 0 as agent, where it gets the price less the fee",
    )
    cap: Mapped[int | None] = mapped_column(Integer, comment="most pieces one household may take")
    rule: Mapped[str | None] = mapped_column(comment="null: the season's")
    surplus: Mapped[str] = mapped_column(
        server_default="next_pool", comment="where pieces beyond all wishes go from the shelf"
    )


class OfferingMaker(Base):
    """One of several makers whom an offering pays, with its part of the net; an offering of one maker has none."""

    __tablename__ = "offering_maker"
    __table_args__ = (
        UniqueConstraint("offering_id", "artisan_id"),
        CheckConstraint("part_bp BETWEEN 1 AND 10000", "part"),
        Index(None, "artisan_id"),
    )

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    n: Mapped[int] = mapped_column(
        Integer, primary_key=True, comment="place in the list: an odd cent goes to the earlier"
    )
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    part_bp: Mapped[int] = mapped_column(Integer)

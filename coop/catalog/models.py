"""Artisans, the terms agreed with them, their bank details, and what they make."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class Artisan(Base):
    __tablename__ = "artisan"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 120", "name"),)

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(unique=True)
    reference: Mapped[str | None] = mapped_column(unique=True, comment="the workshop's number in files brought in")
    craft: Mapped[str] = mapped_column(server_default="", comment="small-batch gin; jams & pickles")
    town: Mapped[str] = mapped_column(server_default="")
    distance_km: Mapped[int | None] = mapped_column(Integer)
    story: Mapped[str] = mapped_column(server_default="", comment="plain text, paragraphs by empty lines")
    picture: Mapped[str | None] = mapped_column(comment="path under static/")
    joined_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    left_at: Mapped[Instant | None]


class ArtisanTerms(Base):
    """What the co-op takes, from a day on; an offering names the terms it was made under, so they never change behind it."""

    __tablename__ = "artisan_terms"
    __table_args__ = (
        CheckConstraint("model IN ('agent', 'resale')", "model"),
        CheckConstraint("fee_bp BETWEEN 0 AND 5000", "fee"),
        CheckConstraint("fee_tax_bp BETWEEN 0 AND 5000", "fee_tax"),
        CheckConstraint("price_tax_bp BETWEEN 0 AND 5000", "price_tax"),
        UniqueConstraint("artisan_id", "effective_from"),
    )

    id: Mapped[Identity]
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    effective_from: Mapped[Instant]
    model: Mapped[str] = mapped_column(server_default="agent")
    fee_bp: Mapped[int] = mapped_column(Integer, comment="co-op fee taken off, basis points")
    fee_tax_bp: Mapped[int] = mapped_column(Integer, server_default="0", comment="tax inside the fee")
    price_tax_bp: Mapped[int] = mapped_column(Integer, server_default="0", comment="tax inside the price, resale only")


class BankDetails(Base):
    """Where a maker is paid; the latest row counts, encrypted, shown only by its last four characters."""

    __tablename__ = "bank_details"
    __table_args__ = (Index(None, "artisan_id"),)

    id: Mapped[Identity]
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    holder: Mapped[str]
    iban_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="AES-GCM under the field key")
    iban_ending: Mapped[str]
    set_by: Mapped[int]
    set_at: Mapped[Instant]


class Product(Base):
    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 120", "name"),
        CheckConstraint("min_age IS NULL OR min_age BETWEEN 1 AND 99", "min_age"),
        Index(None, "artisan_id"),
    )

    id: Mapped[Identity]
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    reference: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    unit_one: Mapped[str] = mapped_column(server_default="piece", comment="jar")
    unit_many: Mapped[str] = mapped_column(server_default="pieces", comment="jars")
    line: Mapped[str] = mapped_column(server_default="", comment="one line under the name")
    story: Mapped[str] = mapped_column(server_default="")
    family: Mapped[str] = mapped_column(server_default="all", comment="pieces of a family count alike in the standing")
    min_age: Mapped[int | None] = mapped_column(Integer)
    deposit_minor: Mapped[Minor] = mapped_column(server_default="0", comment="returnable deposit on jar or bottle")
    picture: Mapped[str | None] = mapped_column(comment="path under static/")

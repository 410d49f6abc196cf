"""Artisans and what they make."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
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

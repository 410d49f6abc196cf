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


class ContainerType(Base):
    """A kind of jar or bottle that comes back; what is paid for one never changes, another amount is another type."""

    __tablename__ = "container_type"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 60", "name"),
        CheckConstraint("deposit_minor > 0", "deposit"),
    )

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(unique=True, comment="jar 0.5 l")
    deposit_minor: Mapped[Minor] = mapped_column(comment="returnable deposit on one")
    added_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    ended_at: Mapped[Instant | None]


class Product(Base):
    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 120", "name"),
        CheckConstraint("min_age IS NULL OR min_age BETWEEN 1 AND 99", "min_age"),
        CheckConstraint("(container_type_id IS NULL) = (deposit_minor = 0)", "container"),
        CheckConstraint("containers_each > 0", "containers_each"),
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
    deposit_minor: Mapped[Minor] = mapped_column(server_default="0", comment="returnable deposit on a piece")
    container_type_id: Mapped[int | None] = mapped_column(
        ForeignKey("container_type.id"), comment="jar or bottle that comes back; null: none"
    )
    containers_each: Mapped[int] = mapped_column(
        Integer, server_default="1", comment="how many of them go out with a piece"
    )
    picture: Mapped[str | None] = mapped_column(comment="path under static/")

"""Seasons, the sizes of share they offer, who holds one and who waits for one."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class Season(Base):
    __tablename__ = "season"
    __table_args__ = (
        CheckConstraint("starts < ends", "order"),
        CheckConstraint("guest_weight BETWEEN 1 AND 32767", "guest_weight"),
        CheckConstraint("memory IN ('none', 'rounding', 'season')", "memory"),
        CheckConstraint("credit_cap IS NULL OR memory = 'season' AND credit_cap >= 0", "credit_cap"),
    )

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(unique=True)
    starts: Mapped[date]
    ends: Mapped[date]
    rule: Mapped[str] = mapped_column(
        server_default="cea/standing@1", comment="rule in force unless an offering says another"
    )
    memory: Mapped[str] = mapped_column(server_default="rounding")
    credit_cap: Mapped[int | None] = mapped_column(
        Integer, comment="in pieces per share point, for memory season; null for none"
    )
    guests_may_order: Mapped[bool] = mapped_column(server_default=text("true"))
    guest_weight: Mapped[int] = mapped_column(Integer, server_default="1")
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="season secret, AES-GCM under the field key")
    secret_hash: Mapped[str] = mapped_column(comment="SHA-256 of the secret, published before orders open")
    files_digest: Mapped[str | None] = mapped_column(
        unique=True, comment="digest of the files the season was brought in from"
    )
    made_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))


class SeasonRule(Base):
    """A version of what a season shares out by; the latest counts, and none follows once orders have opened."""

    __tablename__ = "season_rule"

    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rule: Mapped[str]
    memory: Mapped[str]
    credit_cap: Mapped[int | None] = mapped_column(Integer)
    chosen_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    chosen_by: Mapped[int]


class ShareSize(Base):
    __tablename__ = "share_size"
    __table_args__ = (
        UniqueConstraint("season_id", "name"),
        CheckConstraint("weight BETWEEN 1 AND 32767", "weight"),
        CheckConstraint("price_minor >= 0", "price"),
        CheckConstraint("cap IS NULL OR cap >= 0", "cap"),
        CheckConstraint("price_min_minor BETWEEN 0 AND price_minor", "price_min"),
        CheckConstraint("price_max_minor >= price_minor", "price_max"),
    )

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    name: Mapped[str]
    line: Mapped[str] = mapped_column(server_default="", comment="one line that says whom it suits")
    weight: Mapped[int] = mapped_column(Integer)
    price_minor: Mapped[Minor]
    price_min_minor: Mapped[Minor | None] = mapped_column(
        comment="the least a household may choose to pay; null for the price"
    )
    price_max_minor: Mapped[Minor | None] = mapped_column(
        comment="the most a household may choose to pay; null for the price"
    )
    cap: Mapped[int | None] = mapped_column(Integer, comment="how many there are; null for no limit")


class RecipeLine(Base):
    """What a share of a size asks of each pool by itself: lines of one `part` are one or the other, the best liked first."""

    __tablename__ = "recipe_line"
    __table_args__ = (
        UniqueConstraint("size_id", "part", "rank"),
        UniqueConstraint("size_id", "part", "product_id"),
        CheckConstraint("part >= 1 AND rank >= 1", "place"),
        CheckConstraint("pieces BETWEEN 1 AND 1000", "pieces"),
    )

    id: Mapped[Identity]
    size_id: Mapped[int] = mapped_column(ForeignKey("share_size.id"))
    part: Mapped[int] = mapped_column(Integer, comment="number of the part of the recipe, from 1")
    rank: Mapped[int] = mapped_column(Integer, comment="place among what the part may be: 1 is liked best")
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    pieces: Mapped[int] = mapped_column(Integer)


class SeasonShare(Base):
    __tablename__ = "season_share"
    __table_args__ = (
        Index(
            "uq_season_share_current", "size_id", "household_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    size_id: Mapped[int] = mapped_column(ForeignKey("share_size.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    taken_at: Mapped[Instant]
    taken_by: Mapped[int]
    ended_at: Mapped[Instant | None]


class Instalment(Base):
    """Part of a share's price; it becomes member credit on its day, once it is paid."""

    __tablename__ = "instalment"
    __table_args__ = (UniqueConstraint("share_id", "n"), CheckConstraint("amount_minor > 0", "amount"))

    id: Mapped[Identity]
    share_id: Mapped[int] = mapped_column(ForeignKey("season_share.id"))
    n: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[date]
    amount_minor: Mapped[Minor]
    released_at: Mapped[Instant | None]


class ShareWait(Base):
    """A household's place on the waiting list of a share size."""

    __tablename__ = "share_wait"
    __table_args__ = (
        Index(
            "uq_share_wait_current", "size_id", "household_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: Mapped[Identity]
    size_id: Mapped[int] = mapped_column(ForeignKey("share_size.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    since: Mapped[Instant]
    ended_at: Mapped[Instant | None]
    outcome: Mapped[str | None] = mapped_column(comment="took: a share came free; left: the household gave up")

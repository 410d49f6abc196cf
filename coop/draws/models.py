"""Commitments, draws and their witnesses, and what seasons revealed at their end."""

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class PoolCommitment(Base):
    """What was published when a pool's orders opened. Nothing edits it; a trigger refuses."""

    __tablename__ = "commitment"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), primary_key=True)
    content: Mapped[str] = mapped_column(comment="canonical JSON, as the digest covers it")
    digest: Mapped[str]
    made_at: Mapped[Instant]
    made_by: Mapped[int]


class Draw(Base):
    """A source of chance that was named for a pool; a pool without one draws from its season's secret."""

    __tablename__ = "draw"
    __table_args__ = (
        CheckConstraint("kind IN ('witnesses', 'beacon')", "kind"),
        CheckConstraint("(kind = 'beacon') = (round_at IS NOT NULL)", "round"),
        CheckConstraint("value IS NULL OR octet_length(value) = 32", "value"),
        CheckConstraint("value IS NULL OR voided_at IS NULL", "known_or_void"),
        CheckConstraint("(value IS NULL) = (input_digest IS NULL)", "inputs"),
    )

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), primary_key=True)
    n: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, comment="1, and one more for each draw that was void"
    )
    kind: Mapped[str]
    chain: Mapped[str] = mapped_column(server_default="", comment="where a beacon can be looked up")
    round: Mapped[str] = mapped_column(server_default="")
    round_at: Mapped[Instant | None] = mapped_column(comment="when the round appears")
    named_at: Mapped[Instant]
    named_by: Mapped[int]
    value: Mapped[bytes | None] = mapped_column(LargeBinary, comment="the source of the seed, once it is known")
    input_digest: Mapped[str | None] = mapped_column(comment="of the run that waited when the value became known")
    known_at: Mapped[Instant | None]
    known_by: Mapped[int | None]
    voided_at: Mapped[Instant | None]
    voided_by: Mapped[int | None]
    void_reason: Mapped[str | None]


class Witness(Base):
    """Somebody who handed in the hash of a secret, and later the secret."""

    __tablename__ = "witness"
    __table_args__ = (
        ForeignKeyConstraint(["pool_id", "n"], ["draw.pool_id", "draw.n"]),
        UniqueConstraint("pool_id", "n", "person_id"),
        CheckConstraint(
            "secret IS NULL OR (octet_length(secret) = 32 AND encode(sha256(secret), 'hex') = hash)", "secret"
        ),
    )

    id: Mapped[Identity]
    pool_id: Mapped[int]
    n: Mapped[int] = mapped_column(Integer, comment="the draw")
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    hash: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of the secret, handed in before")
    handed_in_at: Mapped[Instant]
    secret: Mapped[bytes | None] = mapped_column(LargeBinary, comment="revealed once the inputs were frozen")
    revealed_at: Mapped[Instant | None]


class SeasonSecret(Base):
    """What a season's draws came from, told once the season is over."""

    __tablename__ = "season_secret"

    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary, comment="what the season's draws came from")
    revealed_at: Mapped[Instant]
    revealed_by: Mapped[int]

"""Persons, the households they belong to, what they may do, and links that work once."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Person(Base):
    __tablename__ = "person"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 120", "name"),)

    id: Mapped[Identity]
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True, comment="the address as compared: NFC, case folded")
    name: Mapped[str]
    phone: Mapped[str | None]
    password_hash: Mapped[str | None] = mapped_column(comment="argon2id; null until a first password is set")
    password_set_at: Mapped[Instant | None]
    joined_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    left_at: Mapped[Instant | None]


class Household(Base):
    __tablename__ = "household"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 120", "name"),
        Index("ix_household_by_name", text("lower(name)"), "id", postgresql_where=text("left_at IS NULL")),
    )

    id: Mapped[Identity]
    name: Mapped[str]
    reference: Mapped[str | None] = mapped_column(unique=True, comment="the household's number in files brought in")
    joined_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    left_at: Mapped[Instant | None]


class Belonging(Base):
    """A person belongs to a household."""

    __tablename__ = "belonging"
    __table_args__ = (
        Index("uq_belonging_current", "person_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index(None, "household_id"),
    )

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    since: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    ended_at: Mapped[Instant | None]


class RoleGrant(Base):
    """A person may act as packer, treasurer, admin, or for an artisan; being a member follows from belonging."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("role IN ('artisan', 'packer', 'treasurer', 'accountant', 'admin')", "role"),
        CheckConstraint("(role = 'artisan') = (artisan_id IS NOT NULL)", "artisan"),
        Index(
            "uq_role_grant_current",
            "person_id",
            "role",
            text("coalesce(artisan_id, 0)"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    artisan_id: Mapped[int | None] = mapped_column(comment="the workshop acted for; artisans stand higher on the stair")
    granted_by: Mapped[int]
    granted_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    ended_by: Mapped[int | None]
    ended_at: Mapped[Instant | None]


class OneTimeToken(Base):
    """A link that works once: a password reset, the first admin, a change of address, which its purpose names by number."""

    __tablename__ = "one_time_token"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('reset_password', 'first_admin', 'confirm_email') OR purpose ~ '^(new|undo)_address:[0-9]+$'",
            "purpose",
        ),
    )

    id: Mapped[Identity]
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[Instant | None]

"""The second factors of persons, and the workshops whose people need one."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class AppSecret(Base):
    """The secret that a person's authenticator app makes its codes from."""

    __tablename__ = "app_secret"
    __table_args__ = (
        Index("uq_app_secret_current", "person_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="bound to its person")
    last_step: Mapped[int] = mapped_column(comment="step of 30 seconds whose code was used last; no earlier one counts")
    made_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]


class Passkey(Base):
    """A key in a device of the person's, of which the co-op keeps the public half."""

    __tablename__ = "passkey"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 60", "name"), Index(None, "person_id"))

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True, comment="the key's id, as its device chose it")
    public_key: Mapped[bytes] = mapped_column(LargeBinary, comment="COSE")
    sign_count: Mapped[int] = mapped_column(comment="as the device last said; 0 where it does not count")
    name: Mapped[str] = mapped_column(comment="what its owner calls it")
    made_at: Mapped[Instant]
    used_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]


class RecoveryCode(Base):
    """One of the codes on paper: it stands in for a second factor, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (
        Index("uq_recovery_code_current", "person_id", "code_hash", unique=True, postgresql_where=text("ended_at IS NULL")),
    )  # fmt: skip

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    code_hash: Mapped[str] = mapped_column(comment="HMAC under the field key")
    made_at: Mapped[Instant]
    ended_at: Mapped[Instant | None] = mapped_column(comment="used, or replaced by new ones")


class PaidWorkshop(Base):
    """A workshop whose bank account is known: its people need a second factor."""

    __tablename__ = "paid_workshop"

    artisan_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[Instant]

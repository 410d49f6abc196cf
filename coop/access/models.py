"""Where people are signed in."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class SignIn(Base):
    """A session of a signed-in person, kept here so that it can be seen and ended."""

    __tablename__ = "sign_in"
    __table_args__ = (Index(None, "person_id"),)

    id: Mapped[Identity]
    token_hash: Mapped[bytes] = mapped_column(
        LargeBinary, unique=True, comment="SHA-256 of the random token in the cookie"
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[Instant]
    seen_at: Mapped[Instant] = mapped_column(comment="kept to the minute")
    let_in_at: Mapped[Instant | None] = mapped_column(
        comment="when the last step of signing in was taken; null while the second is awaited"
    )
    confirmed_at: Mapped[Instant] = mapped_column(
        comment="when the person last proved that it is them: by the second factor, or by the password where there is none"
    )
    challenge: Mapped[bytes] = mapped_column(
        LargeBinary, comment="what a passkey signs next in this session; renewed once it was signed"
    )
    device: Mapped[str] = mapped_column(comment="browser as it names itself, cut to 200 characters")
    origin: Mapped[str | None]
    ended_at: Mapped[Instant | None]

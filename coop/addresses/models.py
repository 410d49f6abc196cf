"""Changes of mail addresses, asked for, confirmed and undone."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class AddressChange(Base):
    """A person asks for another mail address; it is theirs once the link sent there was followed, until the old one takes it back."""

    __tablename__ = "address_change"
    __table_args__ = (Index(None, "person_id"),)

    id: Mapped[Identity]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    old_address: Mapped[str]
    new_address: Mapped[str]
    asked_at: Mapped[Instant]
    confirmed_at: Mapped[Instant | None]
    undone_at: Mapped[Instant | None] = mapped_column(
        comment="when it was taken back, or fell because another followed or an earlier one was taken back"
    )

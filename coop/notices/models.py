"""One row a mail: written with the fact it tells of, delivered afterwards."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("address LIKE '%_@_%'", "address"),
        Index(None, "person_id"),
    )

    id: Mapped[Identity]
    key: Mapped[str] = mapped_column(unique=True, comment="what it is about; the same thing is told once")
    person_id: Mapped[int] = mapped_column(comment="0 for somebody who is not a person of the co-op yet")
    address: Mapped[str]
    template: Mapped[str] = mapped_column(comment="name under templates/mail")
    values: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="named values of the template; a one-time link only as its purpose"
    )
    created_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    sent_at: Mapped[Instant | None]

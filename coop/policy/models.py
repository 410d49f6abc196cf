"""Policies as rows: the latest row of a name that is in effect counts."""

from typing import Any

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class Policy(Base):
    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("name", "effective_from"),)

    id: Mapped[Identity]
    name: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    effective_from: Mapped[Instant]
    set_by: Mapped[int] = mapped_column(comment="person who acted; 0 for the command line")
    set_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))

"""Entries by hand, from the writing to the decision."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base
from coop.seconding.models import Seconded, seconded


class Voucher(Seconded, Base):
    """What one person wrote by hand, and a second lets count."""

    __tablename__ = "voucher"
    __table_args__ = (
        *seconded(),
        CheckConstraint("(state = 'done') = (entry_id IS NOT NULL)", "entry"),
        CheckConstraint("reason <> ''", "reason"),
    )

    business_date: Mapped[date]
    reason: Mapped[str]
    lines: Mapped[Any] = mapped_column(JSONB, comment="[[account, debit + or credit -], ...]")
    entry_id: Mapped[int | None]

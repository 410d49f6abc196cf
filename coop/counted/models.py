"""What a treasurer read off an account, or counted."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class CountedBalance(Base):
    """What stood outside at the end of a day, as somebody noted it; never changed."""

    __tablename__ = "counted_balance"
    __table_args__ = (
        CheckConstraint("account_code IN (1000, 1050, 2200)", "account"),
        Index(None, "account_code", "counted_on"),
    )

    id: Mapped[Identity]
    account_code: Mapped[int] = mapped_column(Integer, comment="the account of the books it is held against")
    counted_on: Mapped[date] = mapped_column(comment="the end of this day")
    amount_minor: Mapped[Minor]
    note: Mapped[str]
    noted_by: Mapped[int]
    noted_at: Mapped[Instant]

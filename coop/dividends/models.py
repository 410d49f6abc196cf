"""What was decided over a surplus, and each part of it."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Instant, Minor
from coop.seconding.models import Seconded, seconded


class Dividend(Seconded, Base):
    """What became of the result of a time: proposed, and decided by a second person. A loss has no parts: the reserve bears it."""

    __tablename__ = "dividend"
    __table_args__ = (
        CheckConstraint("starts <= ends", "order"),
        CheckConstraint("result_minor <> 0", "result"),
        *seconded(),
        CheckConstraint("(state = 'done') = (entry_id IS NOT NULL)", "entry"),
        CheckConstraint("(paid_at IS NULL) = (minimum_minor IS NULL)", "paid"),
        Index("uq_dividend_open", text("(true)"), unique=True, postgresql_where=text("state = 'waiting'")),
    )

    starts: Mapped[date]
    ends: Mapped[date] = mapped_column(comment="last day of the last closed month it covers")
    bylaw: Mapped[dict[str, Any]] = mapped_column(comment="the bylaw in force on the first day, as it stood")
    bylaw_version: Mapped[int] = mapped_column(Integer)
    bylaw_from: Mapped[date]
    result_minor: Mapped[Minor] = mapped_column(comment="income less expense of the time; a loss is negative")
    outside_minor: Mapped[Minor] = mapped_column(comment="purchases of households that are no members by the bylaw")
    from_outside_minor: Mapped[Minor] = mapped_column(comment="what those earned; it is in the reserve")
    reserve_minor: Mapped[Minor]
    other_minor: Mapped[Minor]
    entry_id: Mapped[int | None] = mapped_column(unique=True)
    minimum_minor: Mapped[int | None] = mapped_column(comment="cash below it became credit")
    paid_by: Mapped[int | None]
    paid_at: Mapped[Instant | None]


class DividendPart(Base):
    """What one household or maker gets of a dividend."""

    __tablename__ = "dividend_part"
    __table_args__ = (
        CheckConstraint("cash_minor >= 0 AND retained_minor >= 0 AND cash_minor + retained_minor > 0", "amount"),
        Index(None, "party"),
    )

    dividend_id: Mapped[int] = mapped_column(ForeignKey("dividend.id"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, comment="place in the order in which it was divided")
    party: Mapped[str] = mapped_column(comment="household:17 or artisan:4")
    trade_minor: Mapped[Minor] = mapped_column(comment="bought at full price, or earned, less what was credited")
    cash_minor: Mapped[Minor]
    retained_minor: Mapped[Minor]
    entry_id: Mapped[int | None] = mapped_column(unique=True, comment="entry that sent or credited the cash")
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("household_payment.id"), unique=True)

"""Who asked to close or open a month, and who decided."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base
from coop.seconding.models import Seconded, seconded


class PeriodDecision(Seconded, Base):
    """Closing a month, or opening it again: asked by one person, done by another, or withdrawn."""

    __tablename__ = "period_decision"
    __table_args__ = (
        CheckConstraint("kind IN ('close', 'reopen')", "kind"),
        *seconded(),
        CheckConstraint("kind <> 'reopen' OR reason <> ''", "reason"),
        Index("uq_period_decision_open", "period_id", unique=True, postgresql_where=text("state = 'waiting'")),
    )

    period_id: Mapped[int] = mapped_column(ForeignKey("period.id"))
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="", comment="why a closed month is opened again")
    entry_id: Mapped[int | None] = mapped_column(
        comment="entry that moved the month's result, or took it back; null where there was none"
    )

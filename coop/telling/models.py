"""The paper of a statement as it was laid out once, and what was asked and answered about it."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant


class StatementPaper(Base):
    """The PDF of a statement; it is never laid out again, so each download gives the same bytes."""

    __tablename__ = "statement_paper"

    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    made_at: Mapped[Instant]


class StatementMessage(Base):
    """A question of a maker about a statement, or the co-op's answer."""

    __tablename__ = "statement_message"
    __table_args__ = (
        CheckConstraint("length(words) BETWEEN 1 AND 2000", "words"),
        Index(None, "statement_id"),
    )

    id: Mapped[Identity]
    statement_id: Mapped[int] = mapped_column(ForeignKey("statement.id"))
    words: Mapped[str]
    is_answer: Mapped[bool]
    said_by: Mapped[int]
    said_at: Mapped[Instant]

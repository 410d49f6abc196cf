"""A making, its label, and three facts at three times: planned, reported and released pieces."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Pieces


class Batch(Base):
    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("planned >= 0", "planned"),
        CheckConstraint("pessimistic BETWEEN 0 AND planned", "pessimistic"),
        CheckConstraint("length(lot_number) BETWEEN 1 AND 80", "lot_number"),
        Index(None, "product_id"),
    )

    id: Mapped[Identity]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    lot_number: Mapped[str] = mapped_column(unique=True)
    planned: Mapped[Pieces]
    pessimistic: Mapped[int | None] = mapped_column(
        comment="pieces to expect if it goes badly; null: the maker did not say"
    )
    planned_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    started_at: Mapped[Instant | None] = mapped_column(comment="in work since")
    story: Mapped[str] = mapped_column(server_default="")


class YieldReport(Base):
    """What really came out, as the artisan says; a correction is another report with a reason, the latest counts."""

    __tablename__ = "yield_report"
    __table_args__ = (
        UniqueConstraint("batch_id", "n"),
        CheckConstraint("pieces >= 0", "pieces"),
        CheckConstraint("broken >= 0", "broken"),
        CheckConstraint("n = 1 OR reason IS NOT NULL", "reason"),
        CheckConstraint("best_before IS NULL OR made_on IS NULL OR best_before >= made_on", "best_before"),
    )

    id: Mapped[Identity]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    n: Mapped[int] = mapped_column(Integer, comment="1 is the first report, the highest counts")
    pieces: Mapped[Pieces]
    broken: Mapped[Pieces] = mapped_column(server_default="0", comment="made, but not fit to share out")
    made_on: Mapped[date | None]
    best_before: Mapped[date | None]
    reason: Mapped[str | None]
    reported_by: Mapped[int]
    reported_at: Mapped[Instant]


class Release(Base):
    """The pieces an admin accepts for sharing out; the highest version counts.

    A trigger on the statement sees that the batch is there.
    """

    __tablename__ = "release"
    __table_args__ = (CheckConstraint("pieces >= 0", "pieces"),)

    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    pieces: Mapped[Pieces]
    released_by: Mapped[int]
    released_at: Mapped[Instant]

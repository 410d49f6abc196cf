"""A corrected yield of a published pool, from the asking to the new version of the sharing out."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Pieces

STATES = ("requested", "proposed", "publishing", "published", "failed", "cancelled")


class Correction(Base):
    """One batch of a published pool shared out anew. `run_id` is the version it corrects, `new_run_id` the one it made."""

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", "state"),
        Index(
            "uq_correction_live",
            "pool_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'proposed', 'publishing')"),
        ),
        Index(None, "pool_id"),
    )

    id: Mapped[Identity]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"))
    new_run_id: Mapped[int | None] = mapped_column(ForeignKey("allocation_run.id"))
    units_before: Mapped[Pieces]
    units: Mapped[Pieces]
    state: Mapped[str] = mapped_column(server_default="requested")
    requested_by: Mapped[int]
    requested_at: Mapped[Instant]
    chain_start: Mapped[str | None] = mapped_column(comment="result digest that the season's chain stood at")
    result_digest: Mapped[str | None]
    proposed_at: Mapped[Instant | None]
    published_by: Mapped[int | None]
    published_at: Mapped[Instant | None]
    failure: Mapped[str | None] = mapped_column(comment="what went wrong, in plain words")


class CorrectionLine(Base):
    """What a line of the batch gets in the new version; `floor` pieces were in its household's hands already."""

    __tablename__ = "correction_line"

    correction_id: Mapped[int] = mapped_column(ForeignKey("correction.id"), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    floor: Mapped[Pieces]
    pieces: Mapped[Pieces]
    extra: Mapped[Pieces]
    entitled_micro: Mapped[int | None]
    owed_before_micro: Mapped[int | None]
    entitled_before_micro: Mapped[int | None]

"""Runs that share out a pool, what they award, and where the chain of a season's results stands."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Pieces

RUN_STATES = ("requested", "waiting", "proposed", "publishing", "published", "failed", "cancelled", "superseded")


class AllocationRun(Base):
    """One sharing out of one pool: requested -> proposed -> publishing -> published; or failed, cancelled.

    With a draw of its own it is waiting from the freezing of its inputs until the seed is known, then requested again.
    """

    __tablename__ = "allocation_run"
    __table_args__ = (
        CheckConstraint(f"state IN {RUN_STATES}", "state"),
        Index(
            "uq_allocation_run_live",
            "pool_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'waiting', 'proposed', 'publishing', 'published')"),
        ),
        Index(None, "pool_id"),
    )

    id: Mapped[Identity]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    rule: Mapped[str]
    memory: Mapped[str]
    credit_cap: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default="requested")
    requested_by: Mapped[int]
    requested_at: Mapped[Instant]
    input_digest: Mapped[str | None] = mapped_column(comment="of the batches' inputs in order of application")
    frozen_at: Mapped[Instant | None] = mapped_column(comment="when its input digest was published")
    chain_start: Mapped[str | None] = mapped_column(comment="result digest that the season's chain stood at")
    result_digest: Mapped[str | None]
    computed_digest: Mapped[str | None] = mapped_column(
        comment="what the rule alone came to, where awards were changed by hand"
    )
    overrides_waiting: Mapped[int] = mapped_column(
        Integer,
        server_default="0",
        comment="changes by hand that nobody has approved or refused yet; kept under the lock of the run",
    )
    figures: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="claims, pieces, short, lowest_fill, jain, seconds"
    )
    proposed_at: Mapped[Instant | None]
    published_by: Mapped[int | None]
    published_at: Mapped[Instant | None]
    failure: Mapped[str | None] = mapped_column(comment="what went wrong, in plain words")
    corrects_id: Mapped[int | None] = mapped_column(
        ForeignKey("allocation_run.id"), unique=True, comment="the version before, if a corrected yield made this one"
    )
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offering.id"), comment="whose yield was corrected")
    units_before: Mapped[Pieces | None]
    units: Mapped[Pieces | None]


class Award(Base):
    """What one line gets in one run. It counts once the run is published; nothing is copied elsewhere.

    A trigger on the statement sees that run, offering and release are there; keys checked row by row would cost more
    than the awards themselves.
    """

    __tablename__ = "award"
    __table_args__ = (CheckConstraint("pieces >= 0 AND extra >= 0", "pieces"),)

    run_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offering_id: Mapped[int] = mapped_column(
        primary_key=True, comment="of the line; first in the key so that a batch reads together"
    )
    line_id: Mapped[int] = mapped_column(primary_key=True)
    pieces: Mapped[Pieces] = mapped_column(comment="awarded in all, extra included")
    extra: Mapped[Pieces] = mapped_column(comment="awarded beyond the wish, out of plenty")
    entitled_micro: Mapped[int | None] = mapped_column(
        comment="entitlement in micro-units; null where the season keeps no standing"
    )
    owed_before_micro: Mapped[int | None]
    entitled_before_micro: Mapped[int | None] = mapped_column(
        comment="sum of entitlements before this batch; for memory season only"
    )
    floor: Mapped[Pieces | None] = mapped_column(
        comment="handed over when a corrected yield made this version; null for all other lines"
    )
    declined: Mapped[Pieces] = mapped_column(
        server_default=text("0"), comment="given by the rule, but not held for lack of credit; counts as received"
    )


OVERRIDE_STATES = ("waiting", "approved", "refused", "replaced")


class AwardOverride(Base):
    """An award that somebody changed by hand while its run was proposed; it counts once a second person approves it.

    It belongs to its run: a run that is put aside takes it along, and the next one starts without.
    """

    __tablename__ = "award_override"
    __table_args__ = (
        CheckConstraint(f"state IN {OVERRIDE_STATES}", "state"),
        CheckConstraint("pieces >= 0 AND computed >= 0", "pieces"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", "decided"),
        Index(
            "uq_award_override_waiting", "run_id", "line_id", unique=True, postgresql_where=text("state = 'waiting'")
        ),
        Index(
            "uq_award_override_approved", "run_id", "line_id", unique=True, postgresql_where=text("state = 'approved'")
        ),
    )

    id: Mapped[Identity]
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    computed: Mapped[Pieces] = mapped_column(comment="what the rule gives")
    pieces: Mapped[Pieces] = mapped_column(comment="what is given instead")
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    made_by: Mapped[int]
    made_at: Mapped[Instant]
    decided_by: Mapped[int | None]
    decided_at: Mapped[Instant | None]


class ChainHead(Base):
    """Where the chain of a season's results stands; locking this row makes one writer a season."""

    __tablename__ = "chain_head"

    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"), primary_key=True)
    result_digest: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("allocation_run.id"))

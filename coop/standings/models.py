"""Where each household stands over a season, and every change of it that no batch made."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant

EVENT_KINDS = ("joined", "left", "spread", "merged", "split")


class Standing(Base):
    """What a household is owed, and was entitled to so far, over a season and a family of products, in micro-units.

    It is the sum of the published awards and of the events below, kept so that a pool reads one row a claimant.
    """

    __tablename__ = "standing"

    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"), primary_key=True)
    family: Mapped[str] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), primary_key=True)
    owed_micro: Mapped[int]
    entitled_micro: Mapped[int] = mapped_column(
        server_default=text("0"), comment="sum of entitlements; kept by seasons of memory season only"
    )


class StandingMark(Base):
    """A mark that the database changes with where any household stands and what it weighs, for what is kept of forecasts.

    Changes that run side by side leave a row each, so all rows together are the mark.
    """

    __tablename__ = "standing_mark"

    version: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))


class StandingEvent(Base):
    """One change of a standing that is no result of a batch. Rows are only ever added.

    `joined`: a newcomer's opening sum; `left` and `spread`: a leaver's balance taken off and given to those who stay;
    `merged` and `split`: a balance that moves between households, a row for each of the two.
    """

    __tablename__ = "standing_event"
    __table_args__ = (
        CheckConstraint(f"kind IN {EVENT_KINDS}", "kind"),
        CheckConstraint("owed_micro <> 0 OR entitled_micro <> 0 OR kind = 'joined'", "change"),
        Index(
            "uq_standing_event_joined",
            "season_id",
            "family",
            "household_id",
            unique=True,
            postgresql_where=text("kind = 'joined'"),
        ),
        Index(None, "season_id", "household_id"),
    )

    id: Mapped[Identity]
    season_id: Mapped[int] = mapped_column(ForeignKey("season.id"))
    family: Mapped[str]
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    kind: Mapped[str]
    owed_micro: Mapped[int]
    entitled_micro: Mapped[int]
    pool_id: Mapped[int | None] = mapped_column(
        ForeignKey("pool.id"), comment="settled before this pool was shared out"
    )
    at: Mapped[Instant]
    actor_id: Mapped[int]

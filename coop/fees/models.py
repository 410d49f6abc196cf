"""The terms agreed with makers, and those that wait for a second person."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant
from coop.seconding.models import Seconded, seconded


class Rates:
    """What the co-op takes of one maker's sales, from a day on."""

    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    effective_from: Mapped[Instant]
    model: Mapped[str] = mapped_column(server_default="agent")
    fee_bp: Mapped[int] = mapped_column(Integer, comment="co-op fee taken off, basis points")
    fee_tax_bp: Mapped[int] = mapped_column(Integer, server_default="0", comment="tax inside the fee")
    price_tax_bp: Mapped[int] = mapped_column(
        Integer, server_default="0", comment="tax inside the price: the co-op's in resale, else the maker's own"
    )


def rated() -> tuple[CheckConstraint, ...]:
    """Return what the database itself refuses of such a row."""
    return (
        CheckConstraint("model IN ('agent', 'resale')", "model"),
        CheckConstraint("fee_bp BETWEEN 0 AND 5000", "fee"),
        CheckConstraint("fee_tax_bp BETWEEN 0 AND 5000", "fee_tax"),
        CheckConstraint("price_tax_bp BETWEEN 0 AND 5000", "price_tax"),
    )


class ArtisanTerms(Rates, Base):
    """Terms that are agreed; an offering names the terms it was made under, so they never change behind it."""

    __tablename__ = "artisan_terms"
    __table_args__ = (*rated(), UniqueConstraint("artisan_id", "effective_from"))

    id: Mapped[Identity]


class AskedTerms(Seconded, Rates, Base):
    """Terms that one person asks for. They are kept apart, so that nothing can read them as agreed: a second person writes those."""

    __tablename__ = "asked_terms"
    __table_args__ = (
        *rated(),
        *seconded(),
        CheckConstraint("(state = 'done') = (terms_id IS NOT NULL)", "terms"),
        Index(
            "uq_asked_terms_waiting",
            "artisan_id",
            "effective_from",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    terms_id: Mapped[int | None] = mapped_column(ForeignKey("artisan_terms.id"), comment="what came of it")

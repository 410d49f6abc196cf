"""The terms agreed with artisans, and where each is paid."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant
from coop.seconding.models import Seconded, seconded


class ArtisanTerms(Base):
    """What the co-op takes, from a day on; an offering names the terms it was made under, so they never change behind it."""

    __tablename__ = "artisan_terms"
    __table_args__ = (
        CheckConstraint("model IN ('agent', 'resale')", "model"),
        CheckConstraint("fee_bp BETWEEN 0 AND 5000", "fee"),
        CheckConstraint("fee_tax_bp BETWEEN 0 AND 5000", "fee_tax"),
        CheckConstraint("price_tax_bp BETWEEN 0 AND 5000", "price_tax"),
        UniqueConstraint("artisan_id", "effective_from"),
    )

    id: Mapped[Identity]
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    effective_from: Mapped[Instant]
    model: Mapped[str] = mapped_column(server_default="agent")
    fee_bp: Mapped[int] = mapped_column(Integer, comment="co-op fee taken off, basis points")
    fee_tax_bp: Mapped[int] = mapped_column(Integer, server_default="0", comment="tax inside the fee")
    price_tax_bp: Mapped[int] = mapped_column(
        Integer, server_default="0", comment="tax inside the price: the co-op's in resale, else the maker's own"
    )


class ProductMaker(Base):
    """One of several makers of a product, with its part of what a piece brings; a product of one maker has none.

    Parts count from the next offering on: each offering keeps those it was made under.
    """

    __tablename__ = "product_maker"
    __table_args__ = (
        UniqueConstraint("product_id", "artisan_id"),
        CheckConstraint("part_bp BETWEEN 1 AND 10000", "part"),
        Index(None, "artisan_id"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True)
    n: Mapped[int] = mapped_column(
        Integer, primary_key=True, comment="place in the list: an odd cent goes to the earlier"
    )
    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    part_bp: Mapped[int] = mapped_column(Integer)


class BankDetails(Seconded, Base):
    """Where a maker is paid; the latest row that is done counts, encrypted, shown only by its last four characters."""

    __tablename__ = "bank_details"
    __table_args__ = (*seconded(), CheckConstraint("scheme IN ('iban', 'us')", "scheme"), Index(None, "artisan_id"))

    artisan_id: Mapped[int] = mapped_column(ForeignKey("artisan.id"))
    scheme: Mapped[str] = mapped_column(
        server_default="iban", comment="iban, or us: routing number, account number and kind are sealed together"
    )
    holder: Mapped[str]
    iban_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="AES-GCM under the field key")
    iban_ending: Mapped[str]

"""Who makes a product together, and where each maker is paid."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base
from coop.seconding.models import Seconded, seconded


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

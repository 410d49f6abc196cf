"""What the co-op agreed with a maker, for those who run it. Account numbers appear by their last four characters only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class TermsRow:
    effective_from: datetime
    model: str
    fee_bp: int


@dataclass(frozen=True, slots=True)
class BankRow:
    holder: str
    iban_ending: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class ProductRow:
    id: int
    name: str
    line: str
    unit: str
    family: str
    min_age: int | None
    deposit_minor: int


@dataclass(frozen=True, slots=True)
class ContainerKind:
    id: int
    name: str
    deposit_minor: int


@dataclass(frozen=True, slots=True)
class MakerPage:
    id: int
    name: str
    craft: str
    town: str
    distance_km: int | None
    story: str
    terms: list[TermsRow]
    bank: list[BankRow]
    products: list[ProductRow]


def maker_page(session: Session, artisan_id: int) -> MakerPage:
    """Return a maker's terms, bank details and products, the latest terms and details first."""
    row = session.execute(
        text("SELECT id, name, craft, town, distance_km, story FROM artisan WHERE id = :id AND left_at IS NULL"),
        {"id": artisan_id},
    ).first()
    if row is None:
        raise NotFound
    terms = session.execute(
        text(
            "SELECT effective_from, model, fee_bp FROM artisan_terms WHERE artisan_id = :id"
            " ORDER BY effective_from DESC LIMIT 20"
        ),
        {"id": artisan_id},
    )
    bank = session.execute(
        text(
            "SELECT b.holder, b.iban_ending, b.set_at, coalesce(p.name, 'the command line') AS set_by FROM bank_details b"
            " LEFT JOIN person p ON p.id = b.set_by WHERE b.artisan_id = :id ORDER BY b.id DESC LIMIT 5"
        ),
        {"id": artisan_id},
    )
    products = session.execute(
        text(
            "SELECT id, name, line, unit_many, family, min_age, deposit_minor FROM product WHERE artisan_id = :id"
            " ORDER BY lower(name), id LIMIT 200"
        ),
        {"id": artisan_id},
    )
    return MakerPage(
        id=row.id,
        name=row.name,
        craft=row.craft,
        town=row.town,
        distance_km=row.distance_km,
        story=row.story,
        terms=[TermsRow(*one) for one in terms],
        bank=[BankRow(*one) for one in bank],
        products=[ProductRow(*one) for one in products],
    )


def container_kinds(session: Session) -> list[ContainerKind]:
    """Return the kinds of jars and bottles that come back."""
    rows = session.execute(
        text("SELECT id, name, deposit_minor FROM container_type WHERE ended_at IS NULL ORDER BY name LIMIT 100")
    )
    return [ContainerKind(*row) for row in rows]

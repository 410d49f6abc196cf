"""What the co-op agreed with a maker, for those who run it. Account numbers appear by their last four characters only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.errors import NotFound
from coop.people import service as people


@dataclass(frozen=True, slots=True)
class TermsRow:
    effective_from: datetime
    model: str
    fee_bp: int
    fee_tax_bp: int
    price_tax_bp: int


@dataclass(frozen=True, slots=True)
class AskedRow:
    """Terms that wait for a second person."""

    id: int
    terms: TermsRow
    asked_at: datetime
    asked_by: str
    is_viewers: bool


@dataclass(frozen=True, slots=True)
class BankRow:
    holder: str
    iban_ending: str
    id: int
    state: str
    asked_at: datetime
    asked_by: str
    is_viewers: bool


@dataclass(frozen=True, slots=True)
class ProductRow:
    id: int
    name: str
    line: str
    unit: str
    family: str
    min_age: int | None
    deposit_minor: int
    with_others: str


@dataclass(frozen=True, slots=True)
class MakersPage:
    """Who makes a product: `first` has the part that is left to its own workshop, `others` as (artisan, part)."""

    artisan_id: int
    artisan: str
    product: str
    first_bp: int
    others: list[tuple[int, int]]
    choices: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ContainerKind:
    id: int
    name: str
    deposit_minor: int


@dataclass(frozen=True, slots=True)
class MakerPage:
    """What is agreed with a maker; nobody who speaks for the workshop (`speaks_for_it`) lets anything count."""

    id: int
    name: str
    craft: str
    town: str
    distance_km: int | None
    story: str
    speaks_for_it: bool
    terms: list[TermsRow]
    asked: list[AskedRow]
    bank: list[BankRow]
    products: list[ProductRow]


def maker_page(session: Session, artisan_id: int, *, viewer_id: int = 0) -> MakerPage:
    """Return a maker's terms, bank details and products, the latest terms and details first."""
    row = session.execute(
        text("SELECT id, name, craft, town, distance_km, story FROM artisan WHERE id = :id AND left_at IS NULL"),
        {"id": artisan_id},
    ).first()
    if row is None:
        raise NotFound
    terms = session.execute(
        text(
            "SELECT effective_from, model, fee_bp, fee_tax_bp, price_tax_bp FROM artisan_terms WHERE artisan_id = :id"
            " ORDER BY effective_from DESC LIMIT 20"
        ),
        {"id": artisan_id},
    )
    asked = session.execute(
        text(
            "SELECT t.id, t.effective_from, t.model, t.fee_bp, t.fee_tax_bp, t.price_tax_bp, t.asked_at,"
            " coalesce(p.name, 'the command line'), t.asked_by = :viewer FROM asked_terms t LEFT JOIN person p ON p.id = t.asked_by"
            " WHERE t.artisan_id = :id AND t.state = 'waiting' ORDER BY t.effective_from DESC LIMIT 20"
        ),
        {"id": artisan_id, "viewer": viewer_id},
    )
    bank = session.execute(
        text(
            "SELECT b.holder, b.iban_ending, b.id, b.state, b.asked_at, coalesce(p.name, 'the command line'), b.asked_by = :viewer"
            " FROM bank_details b LEFT JOIN person p ON p.id = b.asked_by WHERE b.artisan_id = :id ORDER BY b.id DESC LIMIT 5"
        ),
        {"id": artisan_id, "viewer": viewer_id},
    )
    products = session.execute(
        text(
            "SELECT p.id, p.name, p.line, p.unit_many, p.family, p.min_age, p.deposit_minor,"
            " coalesce((SELECT string_agg(a.name, ', ' ORDER BY m.n) FROM product_maker m JOIN artisan a ON a.id = m.artisan_id"
            "            WHERE m.product_id = p.id AND m.n > 1), '') FROM product p WHERE p.artisan_id = :id"
            " ORDER BY lower(p.name), p.id LIMIT 200"
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
        speaks_for_it=people.speaks_for(session, viewer_id, artisan_id),
        terms=[TermsRow(*one) for one in terms],
        asked=[AskedRow(one[0], TermsRow(*one[1:6]), *one[6:]) for one in asked],
        bank=[BankRow(*one) for one in bank],
        products=[ProductRow(*one) for one in products],
    )


def container_kinds(session: Session) -> list[ContainerKind]:
    """Return the kinds of jars and bottles that come back."""
    rows = session.execute(
        text("SELECT id, name, deposit_minor FROM container_type WHERE ended_at IS NULL ORDER BY name LIMIT 100")
    )
    return [ContainerKind(*row) for row in rows]


def makers_page(session: Session, product_id: int) -> MakersPage:
    """Return who makes a product with which part, and whom it may be shared with."""
    product = session.execute(
        text(
            "SELECT a.id, a.name AS artisan, p.name FROM product p JOIN artisan a ON a.id = p.artisan_id"
            " WHERE p.id = :id AND a.left_at IS NULL"
        ),
        {"id": product_id},
    ).first()
    if product is None:
        raise NotFound
    own = text("SELECT artisan_id, part_bp FROM product_maker WHERE product_id = :id ORDER BY n")
    parts = {row.artisan_id: row.part_bp for row in session.execute(own, {"id": product_id})}
    choices = session.execute(
        text("SELECT id, name FROM artisan WHERE left_at IS NULL AND id <> :id ORDER BY lower(name), id"),
        {"id": product.id},
    )
    return MakersPage(
        artisan_id=product.id,
        artisan=product.artisan,
        product=product.name,
        first_bp=parts.pop(product.id, 10_000),
        others=list(parts.items()),
        choices=[(row.id, row.name) for row in choices],
    )

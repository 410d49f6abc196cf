"""Take artisans in, and list what they make."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog.models import Artisan, Product
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db, copy_rows, take_ids


def add_artisan(
    session: Session,
    name: str,
    *,
    reference: str | None = None,
    craft: str = "",
    town: str = "",
    distance_km: int | None = None,
    story: str = "",
    picture: str | None = None,
) -> int:
    """Take a workshop in; its name is its own in the co-op."""
    if session.scalar(select(Artisan.id).where(Artisan.name == name)) is not None:
        raise RuleBroken("name_taken", f"There is already a maker called {name}.", field="name")
    artisan = Artisan(
        name=name,
        reference=reference,
        craft=craft,
        town=town,
        distance_km=distance_km,
        story=story,
        picture=picture,
    )
    session.add(artisan)
    session.flush()
    return artisan.id


def tell_story(db: Db, artisan_id: int, *, craft: str, town: str, story: str, by: int) -> None:
    """Change what members read about a workshop."""
    with db.begin() as session:
        artisan = lock_artisan(session, artisan_id)
        before = {"craft": artisan.craft, "town": artisan.town, "story": artisan.story}
        artisan.craft, artisan.town, artisan.story = craft, town, story
        audit.record(session, "tell_story", by=by, subject=("artisan", artisan_id), detail={"before": before})


def add_product(
    session: Session,
    artisan_id: int,
    name: str,
    *,
    reference: str | None = None,
    unit: tuple[str, str] = ("piece", "pieces"),
    line: str = "",
    story: str = "",
    family: str = "all",
    min_age: int | None = None,
    deposit_minor: int = 0,
    picture: str | None = None,
) -> int:
    """List something a workshop makes; `unit` is the word for one piece and for many."""
    product = Product(
        artisan_id=artisan_id,
        name=name,
        reference=reference,
        unit_one=unit[0],
        unit_many=unit[1],
        line=line,
        story=story,
        family=family,
        min_age=min_age,
        deposit_minor=deposit_minor,
        picture=picture,
    )
    session.add(product)
    session.flush()
    return product.id


def list_product(
    db: Db,
    artisan_id: int,
    name: str,
    *,
    unit: tuple[str, str],
    line: str,
    story: str,
    family: str,
    min_age: int | None,
    deposit_minor: int,
    by: int,
    key: str,
) -> int:
    """List something a workshop makes."""
    with db.begin() as session:
        body = {"act": "list_product", "artisan": artisan_id, "name": name, "unit": unit, "deposit": deposit_minor}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        lock_artisan(session, artisan_id)
        if session.scalar(select(Product.id).where(Product.artisan_id == artisan_id, Product.name == name)) is not None:
            raise RuleBroken("name_taken", f"This maker already has a product called {name}.", field="name")
        product_id = add_product(
            session,
            artisan_id,
            name,
            unit=unit,
            line=line,
            story=story,
            family=family,
            min_age=min_age,
            deposit_minor=deposit_minor,
        )
        audit.record(session, "list_product", by=by, subject=("product", product_id), detail=body)
        keys.answer(session, by=by, key=key, row_id=product_id)
        return product_id


def lock_artisan(session: Session, artisan_id: int) -> Artisan:
    """Return a workshop's row, locked; one that left counts as unknown."""
    artisan = session.scalar(select(Artisan).where(Artisan.id == artisan_id, Artisan.left_at.is_(None)).with_for_update())  # fmt: skip
    if artisan is None:
        raise NotFound
    return artisan


def bring_in_artisans(session: Session, references: Sequence[str]) -> Sequence[int]:
    """Take many workshops in, named by their numbers; return their ids in the same order."""
    ids = take_ids(session, "artisan", len(references))
    copy_rows(session, "artisan", ("id", "name", "reference"), zip(ids, references, references, strict=True))
    return ids


def bring_in_products(session: Session, products: Sequence[tuple[int, str, str]]) -> Sequence[int]:
    """List many products as (artisan, reference, name); return their ids in the same order."""
    ids = take_ids(session, "product", len(products))
    columns = ("id", "artisan_id", "reference", "name")
    copy_rows(session, "product", columns, ((i, *product) for i, product in zip(ids, products, strict=True)))
    return ids

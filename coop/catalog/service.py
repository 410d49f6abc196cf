"""Take artisans in, and list what they make."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop import keys
from coop.audit import service as audit
from coop.catalog.models import Artisan, ContainerType, Product
from coop.core.errors import NotFound, RuleBroken
from coop.db import Db, copy_rows, take_ids


class Containers(NamedTuple):
    """The jars or bottles that go out with a piece, and what is deposited for them."""

    type_id: int
    each: int
    deposit_minor: int


def add_container_type(db: Db, name: str, *, deposit_minor: int, by: int, key: str) -> int:
    """Name a kind of jar or bottle that comes back. Raises `name_taken`."""
    with db.begin() as session:
        body = {"act": "add_container_type", "name": name, "deposit": deposit_minor}
        if (earlier := keys.spend(session, by=by, key=key, body=body)) is not None:
            return earlier
        if deposit_minor <= 0:
            raise RuleBroken("must_be_positive", "Give a deposit above zero.", field="deposit")
        if session.scalar(select(ContainerType.id).where(ContainerType.name == name)) is not None:
            raise RuleBroken("name_taken", f"There is already a container called {name}.", field="name")
        kind = ContainerType(name=name, deposit_minor=deposit_minor)
        session.add(kind)
        session.flush()
        audit.record(session, "add_container_type", by=by, subject=("container_type", kind.id), detail=body)
        keys.answer(session, by=by, key=key, row_id=kind.id)
        return kind.id


def rename_container_type(db: Db, type_id: int, name: str, *, by: int) -> None:
    """Call a kind of container otherwise; its deposit stays. Raises `name_taken`."""
    with db.begin() as session:
        kind = session.get(ContainerType, type_id, with_for_update=True)
        if kind is None:
            raise NotFound
        taken = select(ContainerType.id).where(ContainerType.name == name, ContainerType.id != type_id)
        if session.scalar(taken) is not None:
            raise RuleBroken("name_taken", f"There is already a container called {name}.", field="name")
        before, kind.name = kind.name, name
        detail = {"before": before, "name": name}
        audit.record(session, "rename_container_type", by=by, subject=("container_type", type_id), detail=detail)


def container_type_at(session: Session, deposit_minor: int, name: str = "") -> int:
    """Return the first kind of container with this deposit, adding one if there is none: for what only says an amount."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('container_type'), 0)"))
    known = select(ContainerType.id).where(
        ContainerType.deposit_minor == deposit_minor, ContainerType.ended_at.is_(None)
    )
    if (type_id := session.scalar(known.order_by(ContainerType.id).limit(1))) is not None:
        return type_id
    taken = session.scalar(select(func.count()).select_from(ContainerType)) or 0
    kind = ContainerType(name=name or f"container {taken + 1}", deposit_minor=deposit_minor)
    session.add(kind)
    session.flush()
    return kind.id


def containers(session: Session, type_id: int | None, each: int, *, deposit_minor: int = 0) -> Containers | None:
    """Return what goes out with a piece: `each` of a kind, or for an amount alone one container of that deposit; None for nothing."""
    if type_id is None:
        return Containers(container_type_at(session, deposit_minor), 1, deposit_minor) if deposit_minor else None
    kind = session.get(ContainerType, type_id)
    if kind is None or kind.ended_at is not None:
        raise RuleBroken("unknown_container", "Choose one of the containers listed.", field="container")
    if each < 1:
        raise RuleBroken("must_be_positive", "One or more containers go out with a piece.", field="containers_each")
    return Containers(type_id, each, each * kind.deposit_minor)


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
    container_type_id: int | None = None,
    containers_each: int = 1,
    picture: str | None = None,
) -> int:
    """List something a workshop makes; `unit` is the word for one piece and for many.

    A container that comes back is named by its kind, or by the deposit alone.
    """
    out = containers(session, container_type_id, containers_each, deposit_minor=deposit_minor)
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
        deposit_minor=out.deposit_minor if out else 0,
        container_type_id=out.type_id if out else None,
        containers_each=out.each if out else 1,
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
    container_type_id: int | None = None,
    containers_each: int = 1,
    by: int,
    key: str,
) -> int:
    """List something a workshop makes, with the containers that go out with a piece. Raises `name_taken` and `unknown_container`."""
    with db.begin() as session:
        body = {"act": "list_product", "artisan": artisan_id, "name": name, "unit": unit}
        body |= {"container": container_type_id, "each": containers_each}
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
            container_type_id=container_type_id,
            containers_each=containers_each,
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

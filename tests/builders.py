"""Rows for tests and screenshots, made by plain functions: each takes the session first and returns ids.

They go through the services where a service exists, so that what they build is what the product would have built.
"""

import itertools
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from coop.batches import service as batches
from coop.catalog import service as catalog
from coop.catalog.models import Product
from coop.core.ledger import Entry, credit_paid_in, household_party
from coop.fees import service as fees
from coop.ledger import service as ledger
from coop.people import service as people
from coop.people.models import Belonging, Person, RoleGrant
from coop.pickups.models import PickupPoint
from coop.pools import service as pools
from coop.seasons import service as seasons

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""The instant at which tests act unless they say another: a Tuesday morning in the autumn season."""

TODAY = NOW.date()

FIELD_KEY = bytes(range(32))
SEASON_SECRET = bytes(range(100, 132))

_numbers = itertools.count(1)


def a_household(session: Session, name: str = "Ana", *, credit_minor: int = 0) -> int:
    """A household of one person of the same name, with credit to order with."""
    household_id = people.new_household(session, name)
    a_person(session, name, household_id=household_id)
    if credit_minor:
        give_credit(session, household_id, credit_minor)
    return household_id


def a_person(session: Session, name: str = "Ana", *, household_id: int | None = None) -> int:
    """A person without a password; each has an address of their own."""
    address = f"{name.split(maxsplit=1)[0].lower()}.{next(_numbers)}@example.org"
    person = Person(email=address, email_key=address, name=name)
    session.add(person)
    session.flush()
    if household_id is not None:
        session.add(Belonging(person_id=person.id, household_id=household_id))
        session.flush()
    return person.id


def a_role(session: Session, person_id: int, role: str, *, artisan_id: int | None = None) -> None:
    """Let a person act as packer, treasurer, admin, or for an artisan."""
    session.add(RoleGrant(person_id=person_id, role=role, artisan_id=artisan_id, granted_by=0))
    session.flush()


def give_credit(session: Session, household_id: int, minor: int, *, on: date = TODAY) -> None:
    """Pay money in for a household's credit."""
    postings = credit_paid_in({household_party(household_id): minor})
    entry = Entry(f"bank:builder:{next(_numbers)}", "credit_paid_in", on, postings)
    ledger.post(session, entry, by=0, currency="EUR")


def an_artisan(session: Session, name: str = "Orchard Lane Preserves", **more: object) -> int:
    """A workshop with terms in force: agent, 10 % co-op fee."""
    artisan_id = catalog.add_artisan(session, name, **more)  # type: ignore[arg-type]
    fees.agree_terms(session, artisan_id, effective_from=NOW - timedelta(days=365))
    return artisan_id


def a_product(session: Session, artisan_id: int, name: str = "Damson jam, 340 g", **more: object) -> int:
    """Something a workshop makes, in jars."""
    return catalog.add_product(session, artisan_id, name, **({"unit": ("jar", "jars")} | more))  # type: ignore[arg-type]


def a_batch(session: Session, product_id: int, *, planned: int = 110, lot_number: str | None = None) -> int:
    """A planned making."""
    return batches.plan_batch(
        session, product_id, lot_number=lot_number or f"2026-{next(_numbers):06}", planned=planned
    )


def a_season(session: Session, name: str = "Autumn 2026", **more: object) -> int:
    """A season around `NOW`, September to December 2026."""
    plan = {"starts": date(2026, 9, 1), "ends": date(2026, 12, 31), "secret": SEASON_SECRET, "field_key": FIELD_KEY}
    return seasons.plan_season(session, name, **(plan | more))  # type: ignore[arg-type]


def a_size(session: Session, season_id: int, name: str = "full", *, weight: int = 2, price_minor: int = 30_000, cap: int | None = None) -> int:  # fmt: skip
    """A size of share."""
    return seasons.add_size(session, season_id, name, weight=weight, price_minor=price_minor, cap=cap)


def a_pool(session: Session, season_id: int, name: str | None = None, *, closes_at: datetime = NOW + timedelta(days=2)) -> int:  # fmt: skip
    """A planned pool that opens a week before `NOW`; open it with `coop.pools.service.open_pool`."""
    return pools.plan_pool(
        session,
        season_id,
        name or f"Pool {next(_numbers)}",
        opens_at=NOW - timedelta(days=7),
        closes_at=closes_at,
        pickup_on=(closes_at + timedelta(days=5)).date(),
    )


def an_offering(
    session: Session, pool_id: int, product_id: int | None = None, *, planned: int = 110, price_minor: int = 520, **more: object
) -> int:  # fmt: skip
    """A batch of a product offered in a pool; without a product, of a new workshop's jam."""
    if product_id is None:
        product_id = a_product(session, an_artisan(session, f"Workshop {next(_numbers)}"))
    artisan_id = session.get_one(Product, product_id).artisan_id
    terms_id = fees.current_terms(session, artisan_id, NOW)
    batch_id = a_batch(session, product_id, planned=planned)
    return pools.offer(session, pool_id, product_id, batch_id, price_minor=price_minor, terms_id=terms_id, **more)  # type: ignore[arg-type]


def a_pickup_point(session: Session, name: str = "Mill Yard") -> int:
    """Somewhere to fetch what one got."""
    point = PickupPoint(name=name, place="3 Mill Yard, Riverside", hours="Wednesdays 16:00 to 19:00")
    session.add(point)
    session.flush()
    return point.id

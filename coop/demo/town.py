"""The demo's co-op before its first pool: its policies, people, makers, season, shares and money paid in."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from coop.agreements import service as agreements
from coop.catalog import service as catalog
from coop.core import roles
from coop.db import Db
from coop.demo.calendar import ZONE, Calendar
from coop.demo.makers import MAKERS, PRODUCTS
from coop.demo.people import ADMINS, DESKS, HOUSEHOLDS, MEMBER, PACKERS, PASSWORD, TREASURERS, Household, address
from coop.demo.wishes import NOT_PAID
from coop.factors import service as factors
from coop.fees import service as fees
from coop.formats.codes import SECRET_BYTES
from coop.formats.iban import demo_iban
from coop.incoming import service as incoming
from coop.people import service as people
from coop.people.models import Person, RoleGrant
from coop.pickups import service as pickups
from coop.pickups.models import PickupChoice
from coop.places import service as places
from coop.policy import service as policy
from coop.seasons import service as seasons

POLICIES: Final = {
    "coop_name": "Riverside Craft Co-op",
    "coop_line": "Small batches from makers within thirty kilometres",
    "coop_town": "Riverside",
    "currency": "EUR",
    "zone": ZONE,
    "locale": "en_IE",
    "coop_iban": demo_iban("IE", 1),
}
_SECRET = bytes.fromhex("5d" * 32)
_SIZES = (
    ("half", 1, 18_000, 24, "For one or two who like a jar and now and then a cup."),
    ("full", 2, 34_000, 16, "For a household that cooks, gives presents and has friends in."),
    ("double", 4, 64_000, 4, "For two households together, or one with many cousins."),
)
_POINTS = (
    ("mill", "Mill Yard", "3 Mill Yard, Riverside", "On pickup days, 16:00 to 19:00"),
    ("school", "Ballinree School", "The Hall, School Lane, Ballinree", "On pickup days, 15:00 to 18:00"),
)
_FEES: Final = {"Quay Street Pottery": 800, "Tern Press": 800}
"""Founding makers, who host the pickup and print the posters, pay a lower co-op fee."""


class Lot(NamedTuple):
    """A batch and the offering that it serves."""

    batch_id: int
    offering_id: int


@dataclass(slots=True)
class Town:
    """What the seeding keeps in hand: where to write, when, and the ids of what it wrote, by name."""

    db: Db
    field_key: bytes
    calendar: Calendar
    persons: dict[str, int] = field(default_factory=dict)
    households: dict[str, int] = field(default_factory=dict)
    artisans: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    season: int = 0

    @property
    def admin(self) -> int:
        return self.persons[ADMINS[0]]

    @property
    def treasurer(self) -> int:
        return self.persons[TREASURERS[0]]

    def speaker(self, household: Household) -> int:
        """Return the person who acts for a household."""
        return self.persons[household.people[0]]


def found(db: Db, town: Town) -> None:
    """Write the co-op as it stood when its season began."""
    with db.begin() as session:
        for name, value in POLICIES.items():
            policy.settle(session, name, value, by=0)
        _let_people_in(session, town)
        _give_roles(session, town)
        _take_makers_in(session, town)
        _give_apps(session, town)
        _plan_season(session, town)
        points = {
            key: pickups.add_point(session, name, place=place, hours=hours) for key, name, place, hours in _POINTS
        }
        session.add_all(
            PickupChoice(household_id=town.households[one.name], point_id=points[one.point]) for one in HOUSEHOLDS
        )
    _take_shares(town)
    _pay_in(town)


def _let_people_in(session: Session, town: Town) -> None:
    """Everybody has the same password, so it is hashed once: fifty hashes would be most of the start."""
    joined = town.calendar.at(-120)
    kept = people.HASHES.hash(PASSWORD)
    for household in HOUSEHOLDS:
        town.households[household.name] = people.new_household(session, household.name)
        for name in household.people:
            _let_in(session, town, name)
            people.belong(session, town.persons[name], town.households[household.name], at=joined)
    for name in (*(maker.person for maker in MAKERS), *(desk.person for desk in DESKS)):
        if name not in town.persons:
            _let_in(session, town, name)
    session.execute(update(Person).values(password_hash=kept, password_set_at=joined))
    session.execute(text("UPDATE household SET joined_at = :at"), {"at": joined})


def _let_in(session: Session, town: Town, name: str) -> None:
    town.persons[name] = people.new_person(session, name=name, email=address(name), at=town.calendar.at(-120))


def _give_roles(session: Session, town: Town) -> None:
    at = town.calendar.at(-119)
    given = [(name, roles.ADMIN) for name in ADMINS]
    given += [(name, roles.TREASURER) for name in TREASURERS] + [(name, roles.PACKER) for name in PACKERS]
    for name, role in given:
        by = 0 if name == ADMINS[0] else town.admin
        people.give_role(session, town.persons[name], role, artisan_id=None, by=by, at=at)


def _give_apps(session: Session, town: Town) -> None:
    """Give a second step to whose rights need one; the demo's pages show its codes."""
    for person_id in session.scalars(select(RoleGrant.person_id).where(RoleGrant.role != roles.PACKER).distinct()):
        factors.give_app(session, person_id, secrets.token_bytes(SECRET_BYTES), at=town.calendar.at(-120), field_key=town.field_key)  # fmt: skip


def _take_makers_in(session: Session, town: Town) -> None:
    at = town.calendar.at(-118)
    for number, maker in enumerate(MAKERS, 101):
        artisan_id = catalog.add_artisan(
            session,
            maker.name,
            craft=maker.craft,
            town=maker.town,
            distance_km=maker.distance_km,
            story=maker.story,
            picture=f"drawings/{maker.picture}.svg",
        )
        town.artisans[maker.name] = artisan_id
        fees.agree_terms(session, artisan_id, effective_from=at, fee_bp=_FEES.get(maker.name, 1000))
        person_id = town.persons[maker.person]
        people.give_role(session, person_id, roles.ARTISAN, artisan_id=artisan_id, by=town.admin, at=at)
        agreements.set_bank_details(
            session,
            artisan_id,
            holder=maker.person,
            iban=demo_iban("IE", number),
            by=person_id,
            at=at,
            field_key=town.field_key,
        )
    session.execute(text("UPDATE artisan SET joined_at = :at"), {"at": at})
    catalog.container_type_at(session, 50, "jam jar, 340 g")
    catalog.container_type_at(session, 30, "bottle, 0.5 l")
    for product in PRODUCTS:
        town.products[product.key] = catalog.add_product(
            session,
            town.artisans[product.maker],
            product.name,
            unit=product.unit,
            line=product.line,
            story=product.story,
            family=product.family,
            min_age=product.min_age,
            deposit_minor=product.deposit_minor,
            picture=f"drawings/{product.key}.svg",
        )


def _plan_season(session: Session, town: Town) -> None:
    starts, ends = town.calendar.season
    town.season = seasons.plan_season(
        session,
        town.calendar.season_name,
        starts=starts,
        ends=ends,
        secret=_SECRET,
        field_key=town.field_key,
        by=town.admin,
        at=town.calendar.at(-110),
    )
    for name, weight, price, cap, line in _SIZES:
        town.sizes[name] = seasons.add_size(
            session, town.season, name, weight=weight, price_minor=price, cap=cap, line=line
        )


def _take_shares(town: Town) -> None:
    for place, household in enumerate(HOUSEHOLDS):
        if household.share:
            size = "half" if household.share == "waits" else household.share
            town.shares[household.name] = places.take_share(
                town.db,
                town.sizes[size],
                household_id=town.households[household.name],
                by=town.speaker(household),
                at=town.calendar.at(-100, minute=97 * place),
                key=f"share {household.name}",
            )
    for place, household in enumerate(HOUSEHOLDS):
        if household.share == "waits":
            places.join_waiting_list(
                town.db,
                town.sizes["double"],
                household_id=town.households[household.name],
                by=town.speaker(household),
                at=town.calendar.at(-96, minute=97 * place),
                key=f"wait {household.name}",
            )


def _pay_in(town: Town) -> None:
    """Record what arrived for shares, one of them in part, and as credit of guests and of the member one signs in as."""
    prices = {name: price for name, _, price, _, _ in _SIZES}
    for place, household in enumerate(HOUSEHOLDS):
        for share_id, minor in _payments(town, household, prices):
            incoming.record_payment(
                town.db,
                town.households[household.name],
                amount_minor=minor,
                received_on=town.calendar.day(-90 + place % 20),
                reference=f"RCC {place:03}{'' if share_id else 'C'}",
                by=town.treasurer,
                at=town.calendar.at(-90 + place % 20, 16),
                key=f"payment {household.name} {share_id}",
                share_id=share_id,
            )


def _payments(town: Town, household: Household, prices: dict[str, int]) -> Iterator[tuple[int | None, int]]:
    if household.name == "Walsh":
        yield town.shares[household.name], 10_000
    elif household.share and household.name not in NOT_PAID:
        yield town.shares[household.name], prices["half" if household.share == "waits" else household.share]
    if not household.share:
        yield None, 15_000
    if MEMBER in household.people:
        yield None, 5_000

"""Make what the events of a scenario need: the co-op's policies, a season, households, makers, products, batches, open pools."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.orm import Session

from coop.agreements import service as agreements
from coop.agreements.models import ProductMaker
from coop.batches import service as batches
from coop.catalog import service as catalog
from coop.core.money import AMOUNT_LIMIT
from coop.db import Db
from coop.fees import service as fees
from coop.formats.iban import demo_iban
from coop.instalments import service as instalments
from coop.people import service as people
from coop.policy import service as policy
from coop.pools import service as pools
from coop.replay.scenario import Case, Ordered, lines_of, makers_of, members_of
from coop.seasons import service as seasons
from coop.seasons.models import SeasonShare

ASKS, APPROVES = 0, -1
"""Who acts in a scenario, and the second person for payouts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line is offered: a pool of its own, so that each may be decided and handed over by itself."""

    pool_id: int
    offering_id: int
    batch_id: int


@dataclass(slots=True)
class Stage:
    """A scratch co-op that a scenario is played on, and what its names stand for."""

    db: Db
    at: datetime
    field_key: bytes
    members: dict[str, int] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    makers: dict[str, int] = field(default_factory=dict)
    places: dict[Ordered, Place] = field(default_factory=dict)


def set_up(db: Db, case: Case, *, at: datetime, field_key: bytes) -> Stage:
    """Make the co-op of a case, with every line offered in a pool that is open."""
    stage = Stage(db, at, field_key)
    with db.begin() as session:
        for name, value in (
            ("currency", case.currency),
            ("zone", "UTC"),
            ("payout_minimum_minor", 0),
            ("coop_iban", demo_iban("GB", 1)),
            ("bank_overdraft_minor", AMOUNT_LIMIT),
            ("dividend_cash_minimum_bp", 0),
        ):
            policy.settle(session, name, value, by=ASKS)
        today = at.date()
        season_id = seasons.plan_season(
            session,
            case.id,
            starts=today - timedelta(days=1),
            ends=today + timedelta(days=90),
            secret=bytes(32),
            field_key=field_key,
        )
        size_id = seasons.add_size(session, season_id, "share", weight=1, price_minor=AMOUNT_LIMIT)
        for name in members_of(case):
            household_id = stage.members[name] = people.new_household(session, name)
            stage.shares[name] = _share(session, size_id, household_id, stage)
        for number, name in enumerate(makers_of(case), 2):
            artisan_id = stage.makers[name] = catalog.add_artisan(session, name)
            account = {"holder": name, "iban": demo_iban("GB", number), "by": ASKS, "at": at, "field_key": field_key}
            agreements.set_bank_details(session, artisan_id, **account)  # type: ignore[arg-type]
        for number, line in enumerate(lines_of(case)):
            stage.places[line] = _offered(session, season_id, line, number, stage)
    for place in stage.places.values():
        pools.open_pool(db, place.pool_id, by=ASKS, at=at)
    return stage


def _share(session: Session, size_id: int, household_id: int, stage: Stage) -> int:
    share = SeasonShare(size_id=size_id, household_id=household_id, taken_at=stage.at, taken_by=ASKS)
    session.add(share)
    session.flush()
    instalments.plan_instalment(session, share.id, AMOUNT_LIMIT, due_on=stage.at.date() + timedelta(days=90))
    return share.id


def _offered(session: Session, season_id: int, line: Ordered, number: int, stage: Stage) -> Place:
    artisans = [stage.makers[name] for name, _ in line.makers]
    model, fee_bp, fee_tax_bp, price_tax_bp = line.terms
    terms_id = fees.agree_terms(
        session,
        artisans[0],
        effective_from=stage.at - timedelta(seconds=1 + number),
        model=model,
        fee_bp=fee_bp,
        fee_tax_bp=fee_tax_bp,
        price_tax_bp=price_tax_bp,
    )
    product_id = catalog.add_product(session, artisans[0], f"{line.name} ({number})")
    if len(artisans) > 1:
        parts = zip(artisans, line.makers, strict=True)
        for n, (artisan_id, (_, part_bp)) in enumerate(parts, 1):
            session.add(ProductMaker(product_id=product_id, n=n, artisan_id=artisan_id, part_bp=part_bp))
        session.flush()
    batch_id = batches.plan_batch(session, product_id, lot_number=f"{line.name}-{number}", planned=line.pieces)
    closes = datetime.combine(stage.at.date() + timedelta(days=60), time(12), UTC)
    pool_id = pools.plan_pool(
        session,
        season_id,
        f"{line.name} ({number})",
        opens_at=stage.at - timedelta(seconds=1),
        closes_at=closes,
        pickup_on=closes.date(),
    )
    offering_id = pools.offer(
        session,
        pool_id,
        product_id,
        batch_id,
        price_minor=line.unit_minor,
        deposit_minor=line.deposit_minor,
        cost_minor=line.cost_minor or None,
        terms_id=terms_id,
    )
    return Place(pool_id, offering_id, batch_id)

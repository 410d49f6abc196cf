"""Bring in a whole season from files: pools, households, makers, orders and yields, in one transaction or not at all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from secrets import token_bytes
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coop.agreements import service as agreements
from coop.audit import service as audit
from coop.batches import service as batches
from coop.catalog import service as catalog
from coop.clock import now
from coop.core.collector import collecting_seldom
from coop.core.errors import RuleBroken
from coop.core.ledger import Entry, credit_paid_in, household_party
from coop.core.season import local_day
from coop.db import Db, refresh_statistics
from coop.formats.iban import demo_iban
from coop.formats.season_files import SeasonFiles
from coop.ledger import service as ledger
from coop.ledger.models import Entry as PostedEntry
from coop.orders import service as orders
from coop.people import service as people
from coop.policy import service as policy
from coop.pools import service as pools
from coop.seasons import service as seasons
from coop.seasons.models import Season


@dataclass(frozen=True, slots=True)
class Counts:
    """What a season brought in comes to; `unchanged` where the same files were brought in before."""

    season: str
    pools: int
    members: int
    artisans: int
    products: int
    orders: int
    lines: int
    batches: int
    topped_up: int
    unchanged: bool = False


class _Places(NamedTuple):
    """Ids by place in the files."""

    pools: Sequence[int]
    members: Sequence[int]
    offerings: dict[tuple[int, int], int]


@collecting_seldom()
def import_season(
    db: Db, files: SeasonFiles, *, name: str, currency: str, zone: str, by: int, field_key: bytes
) -> Counts:
    """Write a season that was read from files and return what it comes to.

    The same files again change nothing. Raises `in_use` where the co-op keeps its books in another currency,
    `already_there` where names or numbers of the files belong to something else.
    """
    with db.begin() as session:
        session.execute(text("LOCK TABLE season IN SHARE ROW EXCLUSIVE MODE"))
        known = session.scalar(select(Season).where(Season.files_digest == files.digest))
        if known is not None:
            return counts_of(files, known.name, unchanged=True)
        _agree_on_money(session, currency=currency, zone=zone, by=by)
        _refuse_taken(session, files, name)
        first_day = local_day(min(files.line_times), zone)
        begins = datetime.combine(files.weeks[0].monday - timedelta(days=1), time(), UTC)
        season_id = seasons.plan_season(
            session,
            name,
            starts=files.weeks[0].monday,
            ends=files.weeks[-1].pickup,
            secret=token_bytes(32),
            field_key=field_key,
            files_digest=files.digest,
        )
        members = people.bring_in_households(session, files.members, joined_at=begins)
        seasons.bring_in_shares(
            session, season_id, dict(zip(members, files.member_weights, strict=True)), at=begins, by=by
        )
        pool_ids = pools.bring_in_pools(
            session,
            season_id,
            [
                pools.NewPool(cycle, week.opens, week.closes, week.pickup)
                for cycle, week in zip(files.cycles, files.weeks, strict=True)
            ],
        )
        offerings = _bring_in_offerings(session, files, pool_ids, begins=begins, by=by, field_key=field_key)
        places = _Places(pool_ids, members, offerings)
        counts = counts_of(files, name)
        _top_up(session, files, members, season_id, on=first_day - timedelta(days=1), by=by, currency=currency)
        orders.bring_in_orders(session, _orders(files, places, zone), by=by, currency=currency)
        audit.record(session, "import_season", by=by, subject=("season", season_id), detail=asdict(counts))
    refresh_statistics(db, "batch", "entry", "household_order", "offering", "order_line", "posting", "product")
    return counts


def counts_of(files: SeasonFiles, name: str, *, unchanged: bool = False) -> Counts:
    """Count what a season comes to under a name."""
    return Counts(
        season=name,
        pools=len(files.cycles),
        members=len(files.members),
        artisans=len(files.artisans),
        products=len(files.products),
        orders=len(set(zip(files.line_cycles, files.line_members, strict=True))),
        lines=len(files.line_pieces),
        batches=len(files.yield_pieces),
        topped_up=sum(map(_times, files.line_pieces, files.line_prices)),
        unchanged=unchanged,
    )


def _times(pieces: int, price_minor: int) -> int:
    return pieces * price_minor


def _agree_on_money(session: Session, *, currency: str, zone: str, by: int) -> None:
    agreed = policy.all_current(session, at=datetime.max.replace(tzinfo=UTC))
    booked = session.scalar(select(PostedEntry.id).limit(1)) is not None
    if booked and agreed["currency"] != currency:
        raise RuleBroken(
            "in_use",
            f"This co-op keeps its books in {agreed['currency']}, so it cannot take in a season in {currency}.",
        )
    wanted = {"currency": currency, "zone": zone} | ({} if agreed["coop_iban"] else {"coop_iban": demo_iban("GB", 1)})
    for policy_name, value in wanted.items():
        if agreed[policy_name] != value:
            policy.change(session, policy_name, value, by=by, at=now())


def _refuse_taken(session: Session, files: SeasonFiles, name: str) -> None:
    """Refuse names and numbers that stand for something else already; nothing is merged by guess."""
    taken = session.execute(
        text(
            "SELECT 'season', name FROM season WHERE name = :season"
            " UNION ALL SELECT 'pool', name FROM pool WHERE name = ANY(:pools)"
            " UNION ALL SELECT 'member', reference FROM household WHERE reference = ANY(:members)"
            " UNION ALL SELECT 'artisan', coalesce(reference, name) FROM artisan"
            "   WHERE reference = ANY(:artisans) OR name = ANY(:artisans)"
            " UNION ALL SELECT 'product', reference FROM product WHERE reference = ANY(:products) LIMIT 1"
        ),
        {
            "season": name,
            "pools": files.cycles,
            "members": files.members,
            "artisans": files.artisans,
            "products": files.products,
        },
    ).first()
    if taken is not None:
        what, which = taken
        raise RuleBroken(
            "already_there", f"There is a {what} “{which}” already. Bring the season in to a co-op of its own."
        )


def _bring_in_offerings(
    session: Session, files: SeasonFiles, pool_ids: Sequence[int], *, begins: datetime, by: int, field_key: bytes
) -> dict[tuple[int, int], int]:
    """Write artisans, products, batches with their yields, and offerings; return offerings by (cycle, product)."""
    artisans = catalog.bring_in_artisans(session, files.artisans)
    agreed = zip(artisans, files.artisans, files.artisan_terms, strict=True)
    terms = agreements.bring_in_agreements(
        session,
        [agreements.NewAgreement(*agreement, demo_iban("GB", number)) for number, agreement in enumerate(agreed, 2)],
        effective_from=begins,
        by=by,
        field_key=field_key,
    )
    products = catalog.bring_in_products(
        session,
        [
            (artisans[artisan], reference, name)
            for reference, name, artisan in zip(
                files.products, files.product_names, files.product_artisans, strict=True
            )
        ],
    )
    made = list(zip(files.yield_cycles, files.yield_products, files.yield_pieces, strict=True))
    batch_ids = batches.bring_in_batches(
        session,
        [
            batches.NewBatch(products[product], f"{files.cycles[cycle]}-{files.products[product]}", pieces, week.closes)
            for cycle, product, pieces in made
            for week in (files.weeks[cycle],)
        ],
        planned_at=begins,
        by=by,
    )
    prices = dict(zip(zip(files.line_cycles, files.line_products, strict=True), files.line_prices, strict=True))
    offerings = pools.bring_in_offerings(
        session,
        [
            (
                pool_ids[cycle],
                products[product],
                batch_id,
                terms[files.product_artisans[product]],
                prices[cycle, product],
            )
            for (cycle, product, _), batch_id in zip(made, batch_ids, strict=True)
        ],
    )
    return {(cycle, product): offering for (cycle, product, _), offering in zip(made, offerings, strict=True)}


def _top_up(
    session: Session,
    files: SeasonFiles,
    members: Sequence[int],
    season_id: int,
    *,
    on: date,
    by: int,
    currency: str,
) -> None:
    """Credit each household with what its orders cost at most, in one opening entry."""
    owed = [0] * len(members)
    for member, pieces, price in zip(files.line_members, files.line_pieces, files.line_prices, strict=True):
        owed[member] += pieces * price
    postings = credit_paid_in(
        {household_party(household): minor for household, minor in zip(members, owed, strict=True)}
    )
    ledger.post(session, Entry(f"opening:{season_id}", "opening", on, postings), by=by, currency=currency)


def _orders(files: SeasonFiles, places: _Places, zone: str) -> list[orders.NewOrder]:
    """Put the lines of one household in one pool together; the order is placed with the first and edited with the last."""
    lines = zip(
        files.line_cycles,
        files.line_members,
        files.line_products,
        files.line_pieces,
        files.line_prices,
        files.line_times,
        strict=True,
    )
    placed = []
    for (cycle, member), group in groupby(lines, key=itemgetter(0, 1)):
        rows = list(group)
        times = [row[5] for row in rows]
        placed.append(
            orders.NewOrder(
                places.pools[cycle],
                places.members[member],
                min(times),
                local_day(min(times), zone),
                [
                    orders.NewLine(places.offerings[cycle, product], pieces, price, ordered_at)
                    for _, _, product, pieces, price, ordered_at in rows
                ],
            )
        )
    return placed

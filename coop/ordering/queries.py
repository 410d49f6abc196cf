"""What a household's wishes in an open pool would come to as things stand."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import OFFERED_RULES, PRIORITY_RULE, TOGETHER_RULE, BatchInput, Standing, Terms
from coop.core.prospects import FEWEST_OTHERS, Prospect, Wished, pessimistic_yield, prospects
from coop.core.recent import Recent
from coop.db import bigints
from coop.orders.queries import OfferRow, PoolPage
from coop.seasons import service as seasons

MOST_CLAIMS: Final = 5_000
"""Wishes that a page looks through at most: batches wanted by thousands are not forecast, so that the page stays quick."""

_FORECAST: Final = frozenset(OFFERED_RULES) - {TOGETHER_RULE}

_Key = tuple[object, ...]
_TOLD: Final[Recent[_Key, Prospect]] = Recent(4096)
"""Forecasts, each under all that decides it, some 1 kB: a household looks at its order again and again before others change theirs."""

# The wishes for each batch, packed: order, wish, the most it would take, when. And the mark of where everybody stands, which
# is read no later than that is.
_WISHES = text("""
SELECT offering_id, string_agg(int8send(order_id) || int8send(wish) || int8send(up_to) || timestamptz_send(ordered_at),
         ''::bytea ORDER BY order_id) AS wishes, (SELECT array_agg(version ORDER BY version) FROM standing_mark) AS mark,
       bool_or(order_id = (SELECT id FROM household_order WHERE pool_id = :pool AND household_id = :household)) AS is_own
  FROM order_line WHERE offering_id = ANY(:offerings) AND up_to > 0 GROUP BY offering_id
""")
_PACKED: Final = 4

_CLAIMANTS = text(f"""
SELECT c.offering_id, c.order_id, o.household_id, coalesce(t.owed_micro, 0) AS owed, coalesce(t.entitled_micro, 0) AS entitled,
       coalesce({seasons.weight_held("o.household_id", season="s.id", at="p.opened_at")}, s.guest_weight) AS weight, s.memory, s.credit_cap
  FROM unnest(CAST(:offerings AS bigint[]), CAST(:orders AS bigint[])) AS c (offering_id, order_id)
  JOIN household_order o ON o.id = c.order_id
  JOIN pool p ON p.id = o.pool_id
  JOIN season s ON s.id = p.season_id
  JOIN offering f ON f.id = c.offering_id
  JOIN product d ON d.id = f.product_id
  LEFT JOIN standing t ON t.season_id = s.id AND t.family = d.family AND t.household_id = o.household_id
 ORDER BY o.household_id
""")  # noqa: S608 - put together from constants only


def prospects_of(session: Session, page: PoolPage, household_id: int) -> dict[int, Prospect]:
    """Forecast the household's saved wishes that the page shows, by offering; only while orders are open.

    Each batch by itself, from where everybody stands today. Nothing is said of a batch that too few others wished for:
    it would tell what one of them asked. Nor of one that is shared out together with others: what comes of it depends on
    what members named instead.
    """
    own = [offer for group in page.groups for offer in group.offers if offer.up_to]
    offers = [offer for offer in own if offer.claims > FEWEST_OTHERS and offer.rule in _FORECAST]
    offers.sort(key=lambda offer: (offer.claims, offer.id))
    while sum(offer.claims for offer in offers) > MOST_CLAIMS:
        offers.pop()  # the one most wished for stands last
    if page.state != "open" or not offers:
        return {}
    asked = {"offerings": [offer.id for offer in offers], "pool": page.id, "household": household_id}
    rows = {row.offering_id: row for row in session.execute(_WISHES, asked) if row.is_own}
    offers = [offer for offer in offers if offer.id in rows]  # others may have been withdrawn since the page was read
    found = [(offer, rows[offer.id].wishes) for offer in offers]
    keys: list[_Key] = [
        (tuple(rows[offer.id].mark), household_id, offer.id, offer.lot_number, offer.rule, *_expected(offer), wishes)
        for offer, wishes in found
    ]
    told = _TOLD.of_many(keys, lambda places: _forecast(session, [found[place] for place in places], household_id))
    return {offer.id: prospect for offer, prospect in zip(offers, told, strict=True)}


def _forecast(session: Session, found: Sequence[tuple[OfferRow, bytes]], household_id: int) -> list[Prospect]:
    wishes = {offer.id: np.frombuffer(packed, ">i8").reshape(-1, _PACKED).tolist() for offer, packed in found}
    pairs = [(offering_id, row[0]) for offering_id, rows in wishes.items() for row in rows]
    offerings, orders = zip(*pairs, strict=True)
    claimants: dict[int, list[Any]] = {offering_id: [] for offering_id in wishes}
    for one in session.execute(_CLAIMANTS, {"offerings": bigints(offerings), "orders": bigints(orders)}):
        claimants[one.offering_id].append(one)
    season = claimants[offerings[0]][0]
    terms = Terms(None if season.memory == "none" else season.memory, season.credit_cap)
    standing = Standing()
    wished = []
    for offer, _ in found:
        who = claimants[offer.id]
        batch = _batch(offer, who, {order_id: asks for order_id, *asks in wishes[offer.id]})
        if terms.memory is not None:
            standing.owed.update(zip(batch.ids, (one.owed for one in who), strict=True))
            standing.entitled.update(zip(batch.ids, (one.entitled for one in who), strict=True))
        place = [one.household_id for one in who].index(household_id)
        wished.append(Wished(batch, place, *_expected(offer)))
    return prospects(wished, standing, terms)


def _batch(offer: OfferRow, who: Sequence[Any], asks: Mapping[int, Sequence[int]]) -> BatchInput:
    """Put together a batch with the wishes for it; `asks` are wish, the most and when, by order."""
    lines = [asks[one.order_id] for one in who]
    more = [up_to - wish for wish, up_to, _ in lines]
    return BatchInput(
        id=offer.lot_number,
        units=offer.planned,
        ids=[f"{offer.id}:{one.household_id:012}" for one in who],
        weights=[one.weight for one in who],
        requests=[wish for wish, _, _ in lines],
        tolerances=more if any(more) else (),
        rule=offer.rule,
        times=[raised for _, _, raised in lines] if offer.rule == PRIORITY_RULE else (),
    )


def _expected(offer: OfferRow) -> tuple[int, int]:
    """Return the pieces to expect, and those if the making goes badly."""
    return offer.planned, offer.planned if offer.is_reported else pessimistic_yield(offer.planned, offer.pessimistic)

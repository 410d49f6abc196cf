"""What a household's wishes in an open pool would come to as things stand."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import OFFERED_RULES, PRIORITY_RULE, TOGETHER_RULE, BatchInput, Standing, Terms
from coop.core.prospects import FEWEST_OTHERS, Prospect, Wished, pessimistic_yield, prospects
from coop.core.recent import Recent
from coop.orders.queries import OfferRow, PoolPage
from coop.seasons import service as seasons

MOST_CLAIMS: Final = 5_000
"""Wishes that a page looks through at most: batches wanted by thousands are not forecast, so that the page stays quick."""

_FORECAST: Final = frozenset(OFFERED_RULES) - {TOGETHER_RULE}

_Key = tuple[object, ...]
_TOLD: Final[Recent[_Key, Prospect]] = Recent(4096)
"""Forecasts, each under all that decides it, some 1 kB: a household looks at its order again and again before others change theirs."""

# The wishes for each batch, packed: household, wish, what it would take beyond, when, owed, entitled, weight.
_CLAIMS = text(f"""
SELECT f.id, s.memory, s.credit_cap, string_agg(int8send(o.household_id) || int8send(l.wish) || int8send(l.up_to - l.wish)
         || int8send((extract(epoch FROM l.ordered_at) * 1000000)::bigint)
         || int8send(coalesce(t.owed_micro, 0)) || int8send(coalesce(t.entitled_micro, 0))
         || int8send(coalesce({seasons.weight_held("o.household_id", season="s.id", at="p.opened_at")}, s.guest_weight)),
       ''::bytea ORDER BY o.household_id) AS claims
  FROM offering f
  JOIN product d ON d.id = f.product_id
  JOIN pool p ON p.id = f.pool_id
  JOIN season s ON s.id = p.season_id
  JOIN order_line l ON l.offering_id = f.id AND l.up_to > 0
  JOIN household_order o ON o.id = l.order_id
  LEFT JOIN standing t ON t.season_id = s.id AND t.family = d.family AND t.household_id = o.household_id
 WHERE f.id = ANY(:offerings)
 GROUP BY f.id, s.id
""")  # noqa: S608 - put together from constants only
_PACKED: Final = 7


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
    rows = {row.id: row for row in session.execute(_CLAIMS, {"offerings": [offer.id for offer in offers]})}
    found = [(offer, rows[offer.id]) for offer in offers]
    keys: list[_Key] = [
        (household_id, offer.lot_number, offer.rule, *_expected(offer), row.memory, row.credit_cap, row.claims)
        for offer, row in found
    ]
    told = _TOLD.of_many(keys, lambda places: _forecast([found[place] for place in places], household_id))
    return {offer.id: prospect for offer, prospect in zip(offers, told, strict=True)}


def _forecast(found: Sequence[tuple[OfferRow, Any]], household_id: int) -> list[Prospect]:
    season = found[0][1]
    terms = Terms(None if season.memory == "none" else season.memory, season.credit_cap)
    standing = Standing()
    wished = []
    for offer, row in found:
        packed = np.frombuffer(row.claims, ">i8").reshape(-1, _PACKED).T
        households, wishes, more, raised, owed, entitled, weights = packed.tolist()
        ids = [f"{offer.id}:{household:012}" for household in households]
        if terms.memory is not None:
            standing.owed.update(zip(ids, owed, strict=True))
            standing.entitled.update(zip(ids, entitled, strict=True))
        planned, badly = _expected(offer)
        batch = BatchInput(
            id=offer.lot_number,
            units=planned,
            ids=ids,
            weights=weights,
            requests=wishes,
            tolerances=more if any(more) else (),
            rule=offer.rule,
            times=raised if offer.rule == PRIORITY_RULE else (),
        )
        wished.append(Wished(batch, households.index(household_id), planned, badly))
    return prospects(wished, standing, terms)


def _expected(offer: OfferRow) -> tuple[int, int]:
    """Return the pieces to expect, and those if the making goes badly."""
    return offer.planned, offer.planned if offer.is_reported else pessimistic_yield(offer.planned, offer.pessimistic)

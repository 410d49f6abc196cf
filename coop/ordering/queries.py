"""What a household's wishes in an open pool would come to as things stand."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.core.claims import OFFERED_RULES, PRIORITY_RULE, TOGETHER_RULE, BatchInput, Standing, Terms
from coop.core.prospects import FEWEST_OTHERS, Prospect, Wished, pessimistic_yield, prospects
from coop.orders.queries import PoolPage
from coop.seasons import service as seasons

MOST_CLAIMS: Final = 5_000
"""Wishes that a page looks through at most: batches wanted by thousands are not forecast, so that the page stays quick."""

_FORECAST: Final = frozenset(OFFERED_RULES) - {TOGETHER_RULE}

_BATCHES = text("""
SELECT f.id, b.lot_number, d.family, coalesce(f.rule, s.rule) AS rule, b.planned, b.pessimistic, y.pieces AS reported,
       s.id AS season_id, s.memory, s.credit_cap, s.guest_weight, p.opened_at, n.claims
  FROM offering f
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  JOIN pool p ON p.id = f.pool_id
  JOIN season s ON s.id = p.season_id
  LEFT JOIN LATERAL (SELECT pieces FROM yield_report WHERE batch_id = b.id ORDER BY n DESC LIMIT 1) y ON true
  CROSS JOIN LATERAL (SELECT count(*) AS claims FROM order_line WHERE offering_id = f.id AND up_to > 0) n
 WHERE f.id = ANY(:offerings)
 ORDER BY n.claims, f.id
""")

_CLAIMS = text("""
SELECT l.offering_id, o.household_id, l.wish, l.up_to - l.wish AS more, (extract(epoch FROM l.ordered_at) * 1000000)::bigint AS raised,
       coalesce(t.owed_micro, 0) AS owed, coalesce(t.entitled_micro, 0) AS entitled
  FROM order_line l
  JOIN household_order o ON o.id = l.order_id
  JOIN offering f ON f.id = l.offering_id
  JOIN product d ON d.id = f.product_id
  LEFT JOIN standing t ON t.season_id = :season AND t.family = d.family AND t.household_id = o.household_id
 WHERE l.offering_id = ANY(:offerings) AND l.up_to > 0
 ORDER BY l.offering_id, o.household_id
""")


def prospects_of(session: Session, page: PoolPage, household_id: int) -> dict[int, Prospect]:
    """Forecast the household's saved wishes that the page shows, by offering; only while orders are open.

    Each batch by itself, from where everybody stands today. Nothing is said of a batch that too few others wished for:
    it would tell what one of them asked. Nor of one that is shared out together with others: what comes of it depends on
    what members named instead.
    """
    own = [offer.id for group in page.groups for offer in group.offers if offer.up_to]
    if page.state != "open" or not own:
        return {}
    found = session.execute(_BATCHES, {"offerings": own}).all()
    batches = [row for row in found if row.claims > FEWEST_OTHERS and row.rule in _FORECAST]
    while sum(row.claims for row in batches) > MOST_CLAIMS:
        batches.pop()  # the one most wished for stands last
    if not batches:
        return {}
    return _forecast(session, batches, household_id)


def _forecast(session: Session, batches: Sequence[Any], household_id: int) -> dict[int, Prospect]:
    season = batches[0]
    claims: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(_CLAIMS, {"season": season.season_id, "offerings": [one.id for one in batches]}):
        claims[row.offering_id].append(row)
    everybody = sorted({row.household_id for own in claims.values() for row in own})
    weights = dict.fromkeys(everybody, season.guest_weight)
    weights |= seasons.weights(session, season.season_id, at=season.opened_at, of=everybody)
    terms = Terms(None if season.memory == "none" else season.memory, season.credit_cap)
    standing = Standing()
    wished = []
    for one in batches:
        own = claims[one.id]
        ids = [f"{one.id}:{row.household_id:012}" for row in own]
        if terms.memory is not None:
            standing.owed.update({name: row.owed for name, row in zip(ids, own, strict=True)})
            standing.entitled.update({name: row.entitled for name, row in zip(ids, own, strict=True)})
        place = next(place for place, row in enumerate(own) if row.household_id == household_id)
        wished.append(_wished(one, own, ids, [weights[row.household_id] for row in own], place))
    told = prospects(wished, standing, terms)
    return {one.id: prospect for one, prospect in zip(batches, told, strict=True)}


def _wished(one: Any, claims: Sequence[Any], ids: list[str], weights: list[int], place: int) -> Wished:
    if one.reported is None:
        planned, badly = one.planned, pessimistic_yield(one.planned, one.pessimistic)
    else:
        planned = badly = one.reported
    batch = BatchInput(
        id=one.lot_number,
        units=planned,
        ids=ids,
        weights=weights,
        requests=[row.wish for row in claims],
        tolerances=[row.more for row in claims] if any(row.more for row in claims) else (),
        rule=one.rule,
        times=[row.raised for row in claims] if one.rule == PRIORITY_RULE else (),
    )
    return Wished(batch, place, planned, badly)

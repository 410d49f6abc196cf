"""What a household got in a pool, each line with the one true sentence about it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.queries import pseudonym
from coop.core.claims import MICRO, STANDING_RULE
from coop.core.errors import NotFound
from coop.core.explain import AwardFacts, Tie, Wording, fair_parts, standing_sentence, ties, webster_sentence
from coop.core.paging import Slice
from coop.core.tickets import seed_of
from coop.draws import service as draws
from coop.seasons import service as seasons

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class AwardLine:
    """One line of an order; `pieces`, `extra` and `sentence` are empty until the pool is published."""

    product: str
    maker: str
    lot_number: str
    unit: str
    wish: int
    up_to: int
    pieces: int
    extra: int
    returned_minor: int
    sentence: str


@dataclass(frozen=True, slots=True)
class AwardsPage:
    """`short` counts the pieces wished for that were not there; `received` those that were, with what came on top."""

    pool_id: int
    pool: str
    season: str
    rule: str
    opened_at: datetime | None
    closes_at: datetime
    pickup_on: date
    published_at: datetime | None
    lines: list[AwardLine]
    part: Slice
    wished: int
    received: int
    short: int
    to_pay_minor: int
    returned_minor: int


_POOL = text("""
SELECT p.id, p.name, s.id AS season_id, s.name AS season, s.rule AS season_rule, s.guest_weight, p.opened_at,
       p.closes_at, p.pickup_on, r.id AS run_id, r.rule, r.input_digest, r.published_at
  FROM pool p
  JOIN season s ON s.id = p.season_id
  LEFT JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
 WHERE p.id = :pool
""")

_LINES = text("""
SELECT f.id AS offering_id, d.name AS product, m.name AS maker, b.lot_number, d.unit_one, d.unit_many, d.family, f.rule,
       l.wish, l.up_to, l.unit_minor + l.deposit_minor AS held_minor, a.pieces, a.extra, a.entitled_micro, a.owed_before_micro
  FROM household_order o
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
  JOIN artisan m ON m.id = d.artisan_id
  LEFT JOIN award a ON a.run_id = :run AND a.offering_id = f.id AND a.line_id = l.id
 WHERE o.pool_id = :pool AND o.household_id = :household
 ORDER BY b.lot_number COLLATE "C"
""")


def awards_page(session: Session, pool_id: int, household_id: int, *, number: int, field_key: bytes) -> AwardsPage:
    """Return a household's lines of a pool, fifty a page, those that fell short first."""
    pool = _pool(session, pool_id)
    asked = {"run": pool.run_id, "pool": pool_id, "household": household_id}
    rows = session.execute(_LINES, asked).all()
    part = Slice(number, A_PAGE, len(rows))
    since = _since(session, pool, household_id, rows) if pool.run_id else {}
    shortest = sorted(rows, key=lambda row: (row.pieces or 0) - (row.extra or 0) - row.wish)
    shown = shortest[part.skipped : part.skipped + A_PAGE]
    sentences = _sentences(session, pool, household_id, shown, since, field_key) if pool.run_id else {}
    is_out = pool.run_id is not None
    return AwardsPage(
        pool_id=pool_id,
        pool=pool.name,
        season=pool.season,
        rule=pool.rule or pool.season_rule,
        opened_at=pool.opened_at,
        closes_at=pool.closes_at,
        pickup_on=pool.pickup_on,
        published_at=pool.published_at,
        lines=[_line(row, sentences.get(row.offering_id, "")) for row in shown],
        part=part,
        wished=sum(row.wish for row in rows),
        received=sum(row.pieces or 0 for row in rows),
        short=sum(row.wish - row.pieces + row.extra for row in rows) if is_out else 0,
        to_pay_minor=sum((row.pieces if is_out else row.up_to) * row.held_minor for row in rows),
        returned_minor=sum((row.up_to - row.pieces) * row.held_minor for row in rows) if is_out else 0,
    )


def _pool(session: Session, pool_id: int) -> Any:
    pool = session.execute(_POOL, {"pool": pool_id}).first()
    if pool is None:
        raise NotFound
    return pool


def _line(row: Any, sentence: str) -> AwardLine:
    pieces = row.pieces or 0
    return AwardLine(
        product=row.product,
        maker=row.maker,
        lot_number=row.lot_number,
        unit=row.unit_one if (row.wish if row.pieces is None else pieces) == 1 else row.unit_many,
        wish=row.wish,
        up_to=row.up_to,
        pieces=pieces,
        extra=row.extra or 0,
        returned_minor=(row.up_to - pieces) * row.held_minor if row.pieces is not None else 0,
        sentence=sentence,
    )


_MOVED = text("""
SELECT w.family, e.name
  FROM unnest(CAST(:families AS text[])) AS w (family)
  CROSS JOIN LATERAL (
    SELECT p.name FROM household_order o
      JOIN pool p ON p.id = o.pool_id AND p.season_id = :season AND (p.closes_at, p.id) < (:closes, :pool)
      JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
     WHERE o.household_id = :household AND EXISTS (
       SELECT 1 FROM order_line l
         JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
         JOIN offering f ON f.id = l.offering_id
         JOIN product d ON d.id = f.product_id AND d.family = w.family
        WHERE l.order_id = o.id AND a.entitled_micro <> 1000000 * (a.pieces - a.extra))
     ORDER BY p.closes_at DESC, p.id DESC LIMIT 1) e
""")


def _since(session: Session, pool: Any, household_id: int, rows: Sequence[Any]) -> dict[int, str]:
    """Say of each line where what was owed before it came from: the batch or the pool that moved it last."""
    asked = {"season": pool.season_id, "closes": pool.closes_at, "pool": pool.id, "household": household_id}
    asked["families"] = sorted({row.family for row in rows if row.owed_before_micro})
    moved = {row.family: row.name for row in session.execute(_MOVED, asked)}
    since = {}
    for row in rows:
        since[row.offering_id] = moved.get(row.family, "")
        if row.entitled_micro is not None and row.entitled_micro != MICRO * (row.pieces - row.extra):
            moved[row.family] = f"lot {row.lot_number} of this pool"
    return since


_CLAIMS = text("""
SELECT l.offering_id, o.household_id, l.wish, a.pieces - a.extra AS pieces
  FROM order_line l JOIN household_order o ON o.id = l.order_id
  JOIN award a ON a.run_id = :run AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE l.offering_id = ANY(:offerings) AND l.up_to > 0
""")

_BATCHES = text("""
SELECT f.id, coalesce(r.pieces, 0) AS units, (SELECT sum(wish)::bigint FROM order_line WHERE offering_id = f.id) AS demand
  FROM offering f
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = f.batch_id ORDER BY version DESC LIMIT 1) r ON true
 WHERE f.id = ANY(:offerings)
""")


def _sentences(
    session: Session, pool: Any, household_id: int, rows: Sequence[Any], since: dict[int, str], field_key: bytes
) -> dict[int, str]:
    ids = [row.offering_id for row in rows]
    batches = {row.id: row for row in session.execute(_BATCHES, {"offerings": ids})}
    own = seasons.weights(session, pool.season_id, at=pool.opened_at, of=[household_id]).get(household_id)
    by_webster = [row for row in rows if (row.rule or pool.rule) != STANDING_RULE]
    levels = _levels(session, pool, by_webster, batches, field_key) if by_webster else {}
    sentences = {}
    for row in rows:
        batch, owed = batches[row.offering_id], row.owed_before_micro or 0
        award = row.pieces - row.extra
        part, tie = levels.get(row.offering_id, {}).get(household_id, (row.entitled_micro or 0, None))
        closing = owed + (row.entitled_micro or 0) - MICRO * award
        facts = AwardFacts(batch.units, batch.demand, own or pool.guest_weight, row.wish, award, part, owed, closing, since[row.offering_id], row.extra)  # fmt: skip
        wording = Wording(row.unit_one, row.unit_many)
        is_standing = (row.rule or pool.rule) == STANDING_RULE
        sentences[row.offering_id] = standing_sentence(facts, wording) if is_standing else webster_sentence(facts, wording, tie)  # fmt: skip
    return sentences


def _levels(
    session: Session, pool: Any, rows: Sequence[Any], batches: dict[int, Any], field_key: bytes
) -> dict[int, dict[int, tuple[int, Tie | None]]]:
    """Give, by batch and household, the part its share points stood for and how a tie was settled."""
    secret = seasons.season_secret(session, pool.season_id, field_key)
    source = draws.drawn(session, pool.id).source_with(secret, pool.name)
    seed = seed_of(source.value, pool.input_digest)
    claims = defaultdict(list)
    asked = {"run": pool.run_id, "offerings": [row.offering_id for row in rows]}
    for claim in session.execute(_CLAIMS, asked):
        claims[claim.offering_id].append(claim)
    everybody = {claim.household_id for mine in claims.values() for claim in mine}
    weights = seasons.weights(session, pool.season_id, at=pool.opened_at, of=sorted(everybody))
    levels = {}
    for row in rows:
        mine = claims[row.offering_id]
        ids = [pseudonym(secret, row.family, claim.household_id) for claim in mine]
        weighed = [weights.get(claim.household_id, pool.guest_weight) for claim in mine]
        wishes, awards = [claim.wish for claim in mine], [claim.pieces for claim in mine]
        parts = fair_parts(weighed, wishes, batches[row.offering_id].units)
        tied = ties(ids, weighed, wishes, awards, seed, row.lot_number)
        told = zip(mine, ids, parts, strict=True)
        levels[row.offering_id] = {claim.household_id: (part, tied.get(name)) for claim, name, part in told}
    return levels

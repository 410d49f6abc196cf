"""Read single batches of a published pool as they were frozen, and explain a household's lines by them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.queries import pseudonym
from coop.core.claims import MICRO, BatchInput, Outcome, Terms
from coop.core.explain import Wording, facts_of, sentence
from coop.core.explain_ways import Way
from coop.core.tickets import seed_of
from coop.draws import service as draws
from coop.seasons import service as seasons


@dataclass(frozen=True, slots=True)
class SharedBatch:
    """A batch with the awards that were stored for it; line and household of each claim stand in its order."""

    way: Way
    line_ids: Sequence[int]
    household_ids: Sequence[int]
    wording: Wording
    family: str

    def place_of(self, line_id: int) -> int:
        return self.line_ids.index(line_id)


_RUN = text("""
SELECT r.pool_id, r.rule, r.memory, r.input_digest, p.name AS pool, p.opened_at, p.season_id, s.guest_weight
  FROM allocation_run r JOIN pool p ON p.id = r.pool_id JOIN season s ON s.id = p.season_id
 WHERE r.id = :run
""")

_BATCHES = text("""
SELECT f.id, b.lot_number, d.family, d.unit_one, d.unit_many, f.rule, coalesce(r.pieces, 0) AS units
  FROM offering f JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id
  LEFT JOIN LATERAL (SELECT pieces FROM release WHERE batch_id = b.id ORDER BY version DESC LIMIT 1) r ON true
 WHERE f.id = ANY(:offerings)
""")

_CLAIMS = text("""
SELECT l.offering_id, l.id AS line_id, o.household_id, l.wish, l.up_to, a.pieces, a.entitled_micro, a.owed_before_micro
  FROM order_line l JOIN household_order o ON o.id = l.order_id
  JOIN award a ON a.run_id = :run AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE l.offering_id = ANY(:offerings) AND l.up_to > 0
""")


def shared_batches(
    session: Session, run_id: int, offering_ids: Sequence[int], *, field_key: bytes
) -> dict[int, SharedBatch]:
    """Read some batches of a run as they were frozen, with what was awarded, by offering."""
    asked = {"run": run_id, "offerings": list(offering_ids)}
    run = session.execute(_RUN, asked).one()
    claims: dict[int, list[Any]] = defaultdict(list)
    for claim in session.execute(_CLAIMS, asked):
        claims[claim.offering_id].append(claim)
    everybody = sorted({claim.household_id for mine in claims.values() for claim in mine})
    weights = seasons.weights(session, run.season_id, at=run.opened_at, of=everybody)
    secret = seasons.season_secret(session, run.season_id, field_key)
    seed = seed_of(draws.drawn(session, run.pool_id).source_with(secret, run.pool).value, run.input_digest)
    terms = Terms(None if run.memory == "none" else run.memory)
    found = {}
    for row in session.execute(_BATCHES, asked):
        names, own = _by_name(claims[row.id], secret, row.family)
        batch = BatchInput(
            id=row.lot_number,
            units=row.units,
            ids=names,
            weights=[weights.get(claim.household_id, run.guest_weight) for claim in own],
            requests=[claim.wish for claim in own],
            tolerances=[claim.up_to - claim.wish for claim in own],
            rule=row.rule or run.rule,
        )
        way = Way(batch, _stored(own, keeps=terms.memory is not None), terms, seed)
        lines, households = [claim.line_id for claim in own], [claim.household_id for claim in own]
        found[row.id] = SharedBatch(way, lines, households, Wording(row.unit_one, row.unit_many), row.family)
    return found


def _by_name(claims: Sequence[Any], secret: bytes, family: str) -> tuple[list[str], list[Any]]:
    """Put claims in the order of their pseudonyms, which is that of the frozen batch."""
    named = [(pseudonym(secret, family, claim.household_id), claim.line_id, claim) for claim in claims]
    named.sort(key=lambda one: one[:2])
    return [name for name, _, _ in named], [claim for _, _, claim in named]


def _stored(claims: Sequence[Any], *, keeps: bool) -> Outcome:
    awards = [claim.pieces for claim in claims]
    if not keeps:
        return Outcome(awards)
    parts = [claim.entitled_micro for claim in claims]
    opening = [claim.owed_before_micro for claim in claims]
    served = [min(claim.pieces, claim.wish) for claim in claims]
    closing = [before + part - MICRO * award for before, part, award in zip(opening, parts, served, strict=True)]
    return Outcome(awards, parts, opening, closing)


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

_LINES = text("""
SELECT l.id, l.offering_id, d.family, b.lot_number, a.pieces - a.extra AS served, a.entitled_micro, a.owed_before_micro,
       p.season_id, p.closes_at
  FROM pool p JOIN allocation_run r ON r.pool_id = p.id AND r.state = 'published'
  JOIN household_order o ON o.pool_id = p.id AND o.household_id = :household
  JOIN order_line l ON l.order_id = o.id AND l.up_to > 0
  JOIN award a ON a.run_id = r.id AND a.offering_id = l.offering_id AND a.line_id = l.id
  JOIN offering f ON f.id = l.offering_id
  JOIN batch b ON b.id = f.batch_id
  JOIN product d ON d.id = f.product_id
 WHERE p.id = :pool
 ORDER BY b.lot_number COLLATE "C"
""")


def since(session: Session, pool_id: int, household_id: int) -> dict[int, str]:
    """Say of each line of a published pool where what was owed before it came from: the batch or the pool that moved it last."""
    asked = {"pool": pool_id, "household": household_id}
    rows = session.execute(_LINES, asked).all()
    families = sorted({row.family for row in rows if row.owed_before_micro})
    moved: dict[str, str] = {}
    if families:
        where = {"season": rows[0].season_id, "closes": rows[0].closes_at, "families": families}
        moved = {row.family: row.name for row in session.execute(_MOVED, asked | where)}
    told = {}
    for row in rows:
        told[row.id] = moved.get(row.family, "")
        if row.entitled_micro is not None and row.entitled_micro != MICRO * row.served:
            moved[row.family] = f"lot {row.lot_number} of this pool"
    return told


def sentences(
    session: Session,
    run_id: int,
    pool_id: int,
    household_id: int,
    lines: Sequence[tuple[int, int]],
    *,
    field_key: bytes,
) -> dict[int, str]:
    """Explain some lines (offering, line) of a household's order in a published pool, by line."""
    batches = shared_batches(session, run_id, [offering_id for offering_id, _ in lines], field_key=field_key)
    before = since(session, pool_id, household_id)
    told = {}
    for offering_id, line_id in lines:
        shared = batches[offering_id]
        facts = facts_of(shared.way, shared.place_of(line_id), before[line_id])
        told[line_id] = sentence(facts, shared.wording)
    return told


_AWARDS_OF_PERSON = text("""
SELECT o.household_id, run.id AS run_id, l.offering_id, l.id AS line_id, p.name, l.wish, l.up_to, a.pieces,
       l.unit_minor + l.deposit_minor AS held_minor, pool.pickup_on
  FROM belonging m
  JOIN household_order o ON o.household_id = m.household_id
  JOIN pool ON pool.id = o.pool_id
  JOIN order_line l ON l.order_id = o.id
  JOIN allocation_run run ON run.pool_id = o.pool_id AND run.state = 'published'
  JOIN award a ON a.run_id = run.id AND a.offering_id = l.offering_id AND a.line_id = l.id
  JOIN offering f ON f.id = l.offering_id
  JOIN product p ON p.id = f.product_id
 WHERE m.person_id = :person AND m.ended_at IS NULL AND o.pool_id = :pool AND l.up_to > 0
 ORDER BY p.name, l.id
""")


def letter_of_awards(session: Session, person_id: int, values: dict[str, Any], *, field_key: bytes) -> dict[str, Any]:
    """Return what a published pool means to a person's household, line by line, for their letter."""
    pool_id = values["pool_id"]
    rows = session.execute(_AWARDS_OF_PERSON, {"person": person_id, "pool": pool_id}).all()
    told: dict[int, str] = {}
    if rows:
        lines = [(row.offering_id, row.line_id) for row in rows]
        told = sentences(session, rows[0].run_id, pool_id, rows[0].household_id, lines, field_key=field_key)
    return {
        "lines": [
            {"product": row.name, "wish": row.wish, "pieces": row.pieces, "sentence": told[row.line_id]} for row in rows
        ],
        "pickup_on": rows[0].pickup_on.isoformat() if rows else "",
        "returned_minor": sum((row.up_to - row.pieces) * row.held_minor for row in rows),
    }

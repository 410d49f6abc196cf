"""Read single batches of a published pool as they were frozen, with the awards that were stored for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.models import AllocationRun
from coop.allocation.queries import name_of_claim, problem_of_run, pseudonym
from coop.core.claims import MICRO, TOGETHER_RULE, BatchInput, Outcome, Terms
from coop.core.explain_numbers import Wording
from coop.core.explain_ways import Way
from coop.core.pool_run import PoolProblem
from coop.core.tickets import seed_of
from coop.core.together import SharedPart, parts_of_pool
from coop.core.together_sharing import share_out_by_engine
from coop.core.together_words import line_steps
from coop.draws import service as draws
from coop.seasons import service as seasons


@dataclass(frozen=True, slots=True)
class SharedBatch:
    """A batch with the awards that were stored for it; line and household of each claim stand in its order."""

    way: Way
    line_ids: Sequence[int]
    household_ids: Sequence[int]
    wording: Wording

    def place_of(self, line_id: int) -> int:
        return self.line_ids.index(line_id)


_RUN = text("""
SELECT r.pool_id, r.rule, r.memory, r.credit_cap, r.input_digest, p.name AS pool, p.opened_at, p.season_id, s.guest_weight
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
SELECT l.offering_id, l.id AS line_id, o.household_id, l.wish, l.up_to, l.choice, a.pieces, a.entitled_micro, a.owed_before_micro,
       a.entitled_before_micro, (extract(epoch FROM l.ordered_at) * 1000000)::bigint AS raised
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
    terms = Terms(None if run.memory == "none" else run.memory, run.credit_cap)
    found = {}
    for row in session.execute(_BATCHES, asked):
        together = (row.rule or run.rule) == TOGETHER_RULE
        names, own = _by_name(claims[row.id], secret, row.family, row.lot_number if together else "")
        kept = Terms(None) if together else terms
        batch = BatchInput(
            id=row.lot_number,
            units=row.units,
            ids=names,
            weights=[weights.get(claim.household_id, run.guest_weight) for claim in own],
            requests=[claim.wish for claim in own],
            tolerances=[claim.up_to - claim.wish for claim in own],
            rule=row.rule or run.rule,
            times=[claim.raised for claim in own],
        )
        way = Way(batch, _stored(own, kept), kept, seed)
        lines, households = [claim.line_id for claim in own], [claim.household_id for claim in own]
        found[row.id] = SharedBatch(way, lines, households, Wording(row.unit_one, row.unit_many))
    return found


def _by_name(claims: Sequence[Any], secret: bytes, family: str, lot: str) -> tuple[list[str], list[Any]]:
    """Put claims in the order of their pseudonyms, which is that of the frozen batch; `lot` where it is shared out with others."""
    named = [
        (
            name_of_claim(secret, claim.household_id, lot, claim.choice)
            if lot
            else pseudonym(secret, family, claim.household_id),
            claim.line_id,
            claim,
        )
        for claim in claims
    ]
    named.sort(key=lambda one: one[:2])
    return [name for name, _, _ in named], [claim for _, _, claim in named]


def _stored(claims: Sequence[Any], terms: Terms) -> Outcome:
    awards = [claim.pieces for claim in claims]
    if terms.memory is None:
        return Outcome(awards)
    parts = [claim.entitled_micro for claim in claims]
    opening = [claim.owed_before_micro for claim in claims]
    served = [min(claim.pieces, claim.wish) for claim in claims]
    closing = [before + part - MICRO * award for before, part, award in zip(opening, parts, served, strict=True)]
    entitled = [claim.entitled_before_micro or 0 for claim in claims] if terms.memory == "season" else ()
    return Outcome(awards, parts, opening, closing, entitled)


@dataclass(frozen=True, slots=True)
class Linked:
    """A line of a batch that was shared out with others: what came of them all, its claim and lot, and the products' names."""

    shared: SharedPart
    claim: str
    lot: str
    names: dict[str, str]

    @property
    def steps(self) -> list[str]:
        """Tell what came of the line, piece by piece."""
        return line_steps(self.shared, self.claim, self.lot, self.names)


_NAMES = text("""
SELECT b.lot_number, d.name FROM offering f JOIN batch b ON b.id = f.batch_id JOIN product d ON d.id = f.product_id
 WHERE f.pool_id = :pool
""")


def linked_lines(session: Session, run_id: int, lines: Sequence[int], *, field_key: bytes) -> dict[int, Linked]:
    """Share out again the batches of a run that choices link, and find these lines in them; others are left out."""
    run = session.get_one(AllocationRun, run_id)
    problem = problem_of_run(session, run, field_key)
    if not problem.choices or run.input_digest is None:
        return {}
    names: dict[str, str] = dict(session.execute(_NAMES, {"pool": run.pool_id}).all())
    seed = seed_of(problem.source.value, run.input_digest)
    return dict(_linked(problem, seed, set(lines), names))


def _linked(problem: PoolProblem, seed: bytes, lines: set[int], names: dict[str, str]) -> Iterator[tuple[int, Linked]]:
    for places, part in parts_of_pool([claimed.batch for claimed in problem.batches], problem.choices):
        own = [problem.batches[place] for place in places]
        if not part.choices or not any(lines & set(claimed.line_ids) for claimed in own):
            continue
        shared = share_out_by_engine(part, seed)
        for claimed in own:
            for line, claim in zip(claimed.line_ids, claimed.batch.ids, strict=True):
                if line in lines:
                    yield line, Linked(shared, claim, claimed.batch.id, names)

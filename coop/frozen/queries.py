"""Read single batches of a published pool as they were frozen, with the awards that were stored for them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop.allocation.models import AllocationRun
from coop.allocation.queries import problem_of_run
from coop.core.claimants import name_of_claim, pseudonym
from coop.core.claims import MICRO, TOGETHER_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.correction import corrected
from coop.core.explain_changes import Aftermath
from coop.core.explain_numbers import Wording
from coop.core.explain_ways import Way
from coop.core.override_record import overridden
from coop.core.pool_run import PoolProblem
from coop.core.sharing import share_out_batch
from coop.core.tickets import seed_of
from coop.core.together import SharedPart, parts_of_pool
from coop.core.together_sharing import share_out_by_engine
from coop.core.together_words import line_steps
from coop.draws import service as draws
from coop.seasons import service as seasons


class ByHand(NamedTuple):
    """An award that the co-op changed by hand."""

    computed: int
    pieces: int
    reason: str


@dataclass(frozen=True, slots=True)
class SharedBatch:
    """A batch with the way to its awards by the rule, and the outcome that counts; all stand in the order of its claims.

    The two differ where awards were changed by hand (`by_hand`, by line). `floors` are the pieces handed over when the
    yield was corrected, None in a batch that never was; `declined` those that no credit covered.
    """

    way: Way
    stored: Outcome
    line_ids: Sequence[int]
    household_ids: Sequence[int]
    floors: Sequence[int | None]
    declined: Sequence[int]
    by_hand: Mapping[int, ByHand]
    wording: Wording

    @property
    def is_corrected(self) -> bool:
        return any(floor is not None for floor in self.floors)

    @property
    def standing(self) -> Standing:
        """Where the claims stood before the batch."""
        owed, entitled = (
            dict(zip(self.way.batch.ids, kept, strict=False)) for kept in (self.stored.opening, self.stored.entitled)
        )
        return Standing(owed, entitled)

    def place_of(self, line_id: int) -> int:
        return self.line_ids.index(line_id)


_RUN = text("""
SELECT r.pool_id, r.rule, r.memory, r.credit_cap, r.input_digest, p.name AS pool, p.opened_at, p.season_id, s.guest_weight, s.secret_sealed
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
       a.entitled_before_micro, a.floor, a.declined, (extract(epoch FROM l.ordered_at) * 1000000)::bigint AS raised
  FROM order_line l JOIN household_order o ON o.id = l.order_id
  JOIN award a ON a.run_id = :run AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE l.offering_id = ANY(:offerings) AND l.up_to > 0
""")


# changes by hand of the pool's first version; a batch that was corrected since goes by the rule again
_BY_HAND = text("""
SELECT v.line_id, v.offering_id, v.computed, v.pieces, v.reason
  FROM allocation_run u JOIN award_override v ON v.run_id = u.id AND v.state = 'approved' AND v.pieces <> v.computed
 WHERE u.pool_id = :pool AND u.state IN ('published', 'superseded') AND v.offering_id = ANY(:offerings)
   AND NOT EXISTS (SELECT FROM allocation_run n WHERE n.pool_id = u.pool_id AND n.offering_id = v.offering_id)
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
    secret = seasons.opened(run.secret_sealed, field_key)
    seed = seed_of(draws.drawn(session, run.pool_id).source_with(secret, run.pool).value, run.input_digest)
    terms = Terms(None if run.memory == "none" else run.memory, run.credit_cap)
    by_hand: dict[int, dict[int, ByHand]] = defaultdict(dict)
    for one in session.execute(_BY_HAND, asked | {"pool": run.pool_id}):
        by_hand[one.offering_id][one.line_id] = ByHand(one.computed, one.pieces, one.reason)
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
        shared = SharedBatch(
            way=Way(batch, stored := _stored(own, kept), kept, seed),
            stored=stored,
            line_ids=[claim.line_id for claim in own],
            household_ids=[claim.household_id for claim in own],
            floors=[claim.floor for claim in own],
            declined=[claim.declined for claim in own],
            by_hand=by_hand[row.id],
            wording=Wording(row.unit_one, row.unit_many),
        )
        found[row.id] = _by_the_rule(shared) if shared.by_hand else shared
    return found


def _by_the_rule(shared: SharedBatch) -> SharedBatch:
    way = shared.way
    outcome = share_out_batch(way.batch, shared.standing, way.terms, way.seed)
    return replace(shared, way=Way(way.batch, outcome, way.terms, way.seed))


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
    served = [min(one.pieces, one.wish) + one.declined for one in claims]  # what was declined counts as received
    closing = [before + part - MICRO * award for before, part, award in zip(opening, parts, served, strict=True)]
    entitled = [claim.entitled_before_micro or 0 for claim in claims] if terms.memory == "season" else ()
    return Outcome(awards, parts, opening, closing, entitled)


def aftermath_of(shared: SharedBatch, line_id: int) -> Aftermath:
    """Gather what happened to an award after the rule."""
    place, rule, stored = shared.place_of(line_id), shared.way.outcome, shared.stored
    changed = shared.by_hand.get(line_id)
    holds = False
    if shared.is_corrected:
        free = share_out_batch(shared.way.batch, shared.standing, shared.way.terms, shared.way.seed)
        holds = list(free.awards) != [sum(both) for both in zip(stored.awards, shared.declined, strict=True)]
    return Aftermath(
        computed=rule.awards[place],
        given=stored.awards[place],
        reason=changed.reason if changed else "",
        owed_by_rule=rule.closing[place] if rule.closing else None,
        owed_now=stored.closing[place] if stored.closing else None,
        floor=shared.floors[place] or 0,
        holds=holds,
        declined=shared.declined[place],
    )


def agrees(shared: SharedBatch) -> bool:
    """Whether working the batch out again gives what is stored: by the rule, from what was fetched up, changed by hand."""
    way, stored = shared.way, shared.stored
    if shared.by_hand:
        given = {way.batch.ids[shared.place_of(line)]: one.pieces for line, one in shared.by_hand.items()}
        anew = overridden(way.batch, way.outcome, given, way.terms, way.seed, share_out_batch)
    elif shared.is_corrected:
        floors = [floor or 0 for floor in shared.floors]
        anew = corrected(way.batch, floors, shared.standing, way.terms, way.seed, share_out_batch)
    else:
        anew = share_out_batch(way.batch, shared.standing, way.terms, way.seed)
    parts = ("entitlements", "closing") if any(shared.declined) else ("awards", "entitlements", "closing")
    return all(list(getattr(anew, part)) == list(getattr(stored, part)) for part in parts)


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

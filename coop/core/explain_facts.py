"""The numbers of one award that its sentence tells, gathered from the way to it."""

from dataclasses import dataclass, replace
from fractions import Fraction

from coop.core.claims import parts_of
from coop.core.explain_ways import Tie, Way


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """The numbers of one award: of the batch `units` and all wishes `demand`; of the claim the rest, pieces or micro.

    `award` is what the wish received, `extra` what came on top of it up to `more`. The balances are None where none are
    kept; `since` says in words from when `owed_before` stems, "" at the first batch. `level` and `part` are as in `Way`.
    `place` among `claims` and where the pieces ran out belong to rules that go by an order, the last two to `lots`.
    """

    rule: str
    units: int
    demand: int
    weight: int
    wish: int
    award: int
    more: int = 0
    extra: int = 0
    owed_before: int | None = None
    owed_after: int | None = None
    since: str = ""
    is_alone: bool = False
    level: Fraction = Fraction(0)
    tells_losses: bool = False
    part: Fraction = Fraction(0)
    tie: Tie | None = None
    place: int = 0
    ran_out_at: int = 0
    claims: int = 0
    next_lot: int = 0
    left: int = 0

    @property
    def path(self) -> str:
        return parts_of(self.rule)[0]


def facts_of(way: Way, place: int, since: str = "") -> AwardFacts:
    """Gather the numbers of one award."""
    batch, outcome = way.batch, way.outcome
    award = way.awards[place]
    before, after = (outcome.opening[place], outcome.closing[place]) if outcome.opening else (None, None)
    facts = AwardFacts(
        rule=batch.rule,
        units=batch.units,
        demand=way.demand,
        weight=batch.weights[place],
        wish=batch.requests[place],
        award=award,
        more=batch.tolerances[place] if batch.tolerances else 0,
        extra=outcome.awards[place] - award,
        owed_before=before,
        owed_after=after,
        since=since,
        is_alone=len(batch.ids) == 1,
    )
    if not way.is_short:
        return facts
    if way.order:
        at = way.order.index(place) + 1 if place in way.order else 0
        return replace(facts, place=at, ran_out_at=way.ran_out_at, claims=len(way.order))
    if not way.divides:
        first = max(batch.minimums[place] if batch.minimums else 0, 1)
        pack = batch.packs[place] if batch.packs else 1
        lot = pack if award else -(-first // pack) * pack
        return replace(facts, next_lot=lot, left=batch.units - sum(way.awards))
    return replace(
        facts, level=way.level, tells_losses=way.tells_losses, part=way.parts[place], tie=way.ties.get(place)
    )

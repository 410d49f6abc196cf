"""One true sentence to the member for each award, from numbers that the record keeps.

Parts of pieces are told in hundredths, so that the numbers in one sentence add up: the balances before and after are
rounded (halves away from zero), and what was added today is what lies between them. Nothing is decided by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coop.core.claims import MICRO
from coop.core.rules import Path, equal_awards
from coop.core.tickets import ticket, tie_key


@dataclass(frozen=True, slots=True)
class Wording:
    """What the pieces are called, one and several: jar, jars."""

    one: str
    several: str

    def of(self, pieces: int) -> str:
        return f"{pieces} {self.one if pieces == 1 else self.several}"


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """The numbers of one award: of the batch `units` and all wishes `demand`; of the claim the rest, pieces or micro.

    `award` is what the wish received, `extra` what came on top of it up to the tolerance. `since` says in words from
    when `owed_before` stems, "" at the first batch.
    """

    units: int
    demand: int
    weight: int
    wish: int
    award: int
    entitlement: int = 0
    owed_before: int = 0
    owed_after: int = 0
    since: str = ""
    extra: int = 0


@dataclass(frozen=True, slots=True)
class Tie:
    """How a tie over the last pieces was settled: `place` of the own ticket among `level` claims, for `pieces` left."""

    pieces: int
    level: int
    place: int
    ticket: int


def standing_sentence(facts: AwardFacts, wording: Wording) -> str:
    """Explain an award of `cea/standing`: owed before, entitled today, received, owed after."""
    if plain := _without_shortage(facts, wording):
        return plain
    before, after = _hundredths(facts.owed_before), _hundredths(facts.owed_after)
    total = after + 100 * facts.award
    sums = f": {_amount(total)} together" if before else ""
    limit = ", all you asked for," if facts.award == facts.wish else ""
    entitled = f"entitled to {_amount(total - before)} today{sums}"
    return f"{_before(before, facts.since)}{entitled}, so you {_received(facts.award, wording)}{limit} and {_after(after)}."


def webster_sentence(facts: AwardFacts, wording: Wording, tie: Tie | None = None) -> str:
    """Explain an award of `cea/webster`: what a share point stood for, what the member's points did, and a tie."""
    if plain := _without_shortage(facts, wording):
        return plain
    received = _received(facts.award, wording)
    if facts.award == facts.wish:
        return f"{_shortage(facts, wording)}: your wish of {facts.wish} lies within your part, so you {received}."
    points = "share point" if facts.weight == 1 else "share points"
    stood = f"your {facts.weight} {points} stood for {_amount(_hundredths(facts.entitlement))}"
    sentence = f"{_shortage(facts, wording)}: {stood}, so you {received}"
    if tie is None:
        return f"{sentence}."
    others = "1 other" if tie.level == 2 else f"{tie.level - 1} others"
    last = f"the last {wording.one}" if tie.pieces == 1 else f"the last {wording.of(tie.pieces)}"
    ticket = f"{tie.ticket:016x}"[:4]
    return f"{sentence}: you and {others} stood level for {last}; your ticket {ticket}… was {_ordinal(tie.place)} of {tie.level}."


def fair_parts(weights: Sequence[int], limits: Sequence[int], units: int) -> list[int]:
    """Divide a batch equally per share point for telling only: micro-units, rounded down."""
    return [int(award * MICRO) for award in equal_awards(weights, limits, min(units, sum(limits)))]


def ties(
    ids: Sequence[str], weights: Sequence[int], limits: Sequence[int], awards: Sequence[int], seed: bytes, batch_id: str
) -> dict[str, Tie]:
    """Find who stood level for the last pieces under `cea/webster`, if tickets had to settle it."""
    path = Path("cea", weights, limits)
    last = max((path.price(place, award, "webster") for place, award in enumerate(awards) if award), default=None)
    got = [p for p, award in enumerate(awards) if award and path.price(p, award, "webster") == last]
    missed = [p for p, award in enumerate(awards) if award < limits[p] and path.price(p, award + 1, "webster") == last]
    if not missed:
        return {}
    key = tie_key(seed, batch_id)
    order = sorted((ticket(key, ids[place]), ids[place].encode(), ids[place]) for place in got + missed)
    return {claim: Tie(len(got), len(order), place, drawn) for place, (drawn, _, claim) in enumerate(order, start=1)}


def _without_shortage(facts: AwardFacts, wording: Wording) -> str:
    """Say what needs no rule: nothing was made, nothing wished, or enough for all."""
    if facts.wish + facts.extra == 0:
        return "You asked for none of this batch."
    if facts.units == 0:
        return "Nothing came of this batch, so nobody received any."
    if facts.units < facts.demand:
        return ""
    if facts.extra:
        received = f"the {facts.wish} you wished for and {facts.extra} more"
        return f"All wishes were met ({_shortage(facts, wording)}): you received {received}."
    return f"There was enough for all wishes, so you received all {wording.of(facts.wish)} you asked for."


def _shortage(facts: AwardFacts, wording: Wording) -> str:
    return f"{wording.of(facts.units)} for {facts.demand} wished"


def _before(owed: int, since: str) -> str:
    when = f" from {since}" if since else ""
    if owed > 0:
        return f"You were owed {_amount(owed)}{when} and "
    if owed < 0:
        return f"You were {_amount(-owed)} ahead{when} and "
    return "You were "


def _after(owed: int) -> str:
    if owed > 0:
        return f"are owed {_amount(owed)}"
    if owed < 0:
        return f"are {_amount(-owed)} ahead"
    return "are even"


def _received(award: int, wording: Wording) -> str:
    return f"received {wording.of(award)}" if award else "received none this time"


def _hundredths(micro: int) -> int:
    step = MICRO // 100
    rounded = (2 * abs(micro) + step) // (2 * step)
    return -rounded if micro < 0 else rounded


def _amount(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"


def _ordinal(place: int) -> str:
    if place % 100 in {11, 12, 13}:
        return f"{place}th"
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th') }"

"""One true sentence to the member for each award, from numbers that the record keeps.

Parts of pieces are told in hundredths, so that the numbers in one sentence add up: the balances before and after are
rounded (halves away from zero), and what was added today is what lies between them. Nothing is decided by them.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from coop.core.claims import MICRO, parts_of
from coop.core.explain_ways import Tie, Way


@dataclass(frozen=True, slots=True)
class Wording:
    """What the pieces are called, one and several: jar, jars."""

    one: str
    several: str

    def of(self, pieces: int) -> str:
        return f"{pieces:,} {self.word(pieces)}"

    def word(self, pieces: int) -> str:
        return self.one if pieces == 1 else self.several


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


def sentence(facts: AwardFacts, wording: Wording) -> str:
    """Explain an award in one or two sentences, by the rule that decided it."""
    if facts.wish == 0 or facts.units == 0 or facts.units >= facts.demand:
        return _without_shortage(facts, wording)
    if facts.is_alone:
        return f"You were the only one to ask for this batch, so all that came of it, {wording.of(facts.award)}, is yours{_standing_now(facts)}."
    if facts.rule.startswith("cea/standing"):
        return _by_standing(facts, wording) + "."
    by_path = {
        "cea": _by_level,
        "proportional": _by_fraction,
        "weighted_proportional": _by_weighted_fraction,
        "cel": _by_losses,
        "talmud": _by_halves,
        "priority": _by_order,
        "lottery": _by_order,
        "lots": _by_lots,
    }
    return f"{by_path[facts.path](facts, wording)}{_tie(facts.tie, wording)}{_standing_now(facts)}."


def _by_standing(facts: AwardFacts, wording: Wording) -> str:
    before, after = hundredths(facts.owed_before or 0), hundredths(facts.owed_after or 0)
    total = after + 100 * facts.award
    sums = f": {amount(total)} together" if before else ""
    limit = ", all you asked for," if facts.award == facts.wish else ""
    entitled = f"entitled to {amount(total - before)} today{sums}"
    received = _received(facts.award, wording)
    told = f"{_before(before, facts.since)}{entitled}, so you {received}{limit} and {after_words(after)}"
    return told + _tie(facts.tie, wording)


def _by_level(facts: AwardFacts, wording: Wording) -> str:
    level, part = _agreeing(facts.level, facts.weight, facts.part)
    stood = f"{_shortage(facts, wording)}: every share point stood for {level} {wording.several}"
    if facts.part == facts.wish:
        return f"{stood}; your {_points(facts.weight)} covered your wish, so you {_received(facts.award, wording)}"
    yours = f"your {_points(facts.weight)} stood for {part}" if facts.weight > 1 else "you have one"
    return f"{stood}; {yours}, so you {_received(facts.award, wording)}"


def _by_fraction(facts: AwardFacts, wording: Wording) -> str:
    thousandths = rounded(facts.level * 1000)
    everyone = f"everyone received {thousandths // 10}.{thousandths % 10} % of what they asked for"
    return f"{_shortage(facts, wording)}: {everyone}, yours {_rounding(facts)}"


def _by_weighted_fraction(facts: AwardFacts, wording: Wording) -> str:
    thousandths = rounded(facts.level * 1000)
    everyone = f"every share point brought {thousandths // 10}.{thousandths % 10} % of the wish"
    return f"{_shortage(facts, wording)}: {everyone}; with {facts.weight} yours is {_rounding(facts)}"


def _by_order(facts: AwardFacts, wording: Wording) -> str:
    if facts.path == "lottery":
        came, there = f"you drew place {facts.place:,} of {facts.claims:,}", f"at place {facts.ran_out_at:,}"
    else:
        came, there = f"you ordered {ordinal(facts.place)} of {facts.claims:,}", f"at {ordinal(facts.ran_out_at)}"
    ran_out = f"the {wording.several} ran out {there}"
    if facts.place == facts.ran_out_at:
        ran_out = f"the {wording.several} ran out with you"
    return f"{_shortage(facts, wording)}: {came}; {ran_out}, so you {_received(facts.award, wording)}"


def _by_lots(facts: AwardFacts, wording: Wording) -> str:
    told = f"{_shortage(facts, wording)}: you {_received(facts.award, wording)}"
    if facts.award + facts.next_lot > facts.wish:
        return f"{told}, which is every whole pack of your wish"
    if facts.next_lot > facts.left:
        return f"{told}; your next pack of {facts.next_lot} did not fit in the {facts.left} left"
    return told


def _by_losses(facts: AwardFacts, wording: Wording) -> str:
    loss = f"everyone is short by {_parts(facts.level)} {wording.several} for one share point"
    if facts.weight > 1:
        loss += f", you with {facts.weight} by {_parts(facts.level / facts.weight)}"
    if facts.part == 0:
        return f"{_shortage(facts, wording)}: {loss}, which is your whole wish of {facts.wish}"
    return f"{_shortage(facts, wording)}: {loss}, so yours is {_rounding(facts)}"


def _by_halves(facts: AwardFacts, wording: Wording) -> str:
    half = _parts(Fraction(facts.wish, 2))
    if facts.tells_losses:
        covered = f"more than half of all wishes are covered, so everybody has half of the own wish (yours {half})"
        return (
            f"{_shortage(facts, wording)}: {covered} and the losses above that are equal; yours is {_rounding(facts)}"
        )
    covered = f"no more than half of all wishes is covered, so nobody passes half of the own wish (yours {half})"
    return f"{_shortage(facts, wording)}: {covered} and shares are equal below that; yours is {_rounding(facts)}"


def _rounding(facts: AwardFacts) -> str:
    if facts.part == facts.award:
        return f"{facts.award}"
    return f"rounded from {_parts(facts.part)} to {facts.award}"


def _without_shortage(facts: AwardFacts, wording: Wording) -> str:
    """Say what needs no rule: nothing was made, nothing wished, or enough for all."""
    if facts.wish + facts.more == 0:
        return "You asked for none of this batch."
    if facts.units == 0:
        return f"Nothing came of this batch, so nobody received any{_standing_now(facts)}."
    if facts.wish == 0 and not facts.extra:
        return "You would have taken what is left over once all wishes are met, and nothing was left for you."
    if facts.extra or (facts.more and facts.units > facts.demand):
        return _with_more(facts, wording)
    everybody = "There was exactly enough" if facts.units == facts.demand else "There was enough"
    all_of_it = f"all {wording.of(facts.wish)}" if facts.wish > 1 else f"the {wording.one}"
    return f"{everybody} for all wishes, so you received {all_of_it} you asked for{_standing_now(facts)}."


def _with_more(facts: AwardFacts, wording: Wording) -> str:
    left = facts.units - facts.demand
    beyond = f"{facts.extra} more" if facts.extra else "none of the rest fell to you"
    yours = f"the {facts.wish} you wished for and {beyond}" if facts.wish else wording.of(facts.extra)
    of_most = f" of the {facts.more} you would have taken on top" if 0 < facts.extra < facts.more else ""
    told = f"All wishes were met ({_shortage(facts, wording)}) and {left:,} left over went round: you received {yours}{of_most}"
    return f"{told}{_standing_now(facts)}."


def _tie(tie: Tie | None, wording: Wording) -> str:
    if tie is None:
        return ""
    others = "1 other" if tie.level == 2 else f"{tie.level - 1:,} others"
    last = f"the last {wording.one}" if tie.pieces == 1 else f"the last {wording.of(tie.pieces)}"
    ticket = f"{tie.ticket:016x}"[:4]
    return f": you and {others} stood level for {last}; your ticket {ticket}… was {ordinal(tie.place)} of {tie.level:,}"


def _standing_now(facts: AwardFacts) -> str:
    """Say what is owed after a batch that the standing did not decide, where one is kept and it is not even."""
    if facts.owed_after is None or hundredths(facts.owed_after) == 0:
        return ""
    words = after_words(hundredths(facts.owed_after))
    return f"; you {words.replace('are ', 'are still ', 1) if facts.owed_after == facts.owed_before else words}"


def _shortage(facts: AwardFacts, wording: Wording) -> str:
    return f"{wording.of(facts.units)} for {facts.demand:,} wished"


def _before(owed: int, since: str) -> str:
    when = f" from {since}" if since else ""
    if owed > 0:
        return f"You were owed {amount(owed)}{when} and "
    if owed < 0:
        return f"You were {amount(-owed)} ahead{when} and "
    return "You were "


def after_words(owed: int) -> str:
    """Say where somebody stands, in hundredths of a piece."""
    if owed > 0:
        return f"are owed {amount(owed)}"
    if owed < 0:
        return f"are {amount(-owed)} ahead"
    return "are even"


def _received(award: int, wording: Wording) -> str:
    return f"received {wording.of(award)}" if award else "received none this time"


def _points(weight: int) -> str:
    return "share point" if weight == 1 else f"{weight} share points"


def _agreeing(level: Fraction, weight: int, part: Fraction) -> tuple[str, str]:
    """Tell a level with so many decimals that weight times what is told rounds to the part that is told."""
    part_told = rounded(part * 100)
    for decimals in range(2, 7):
        told = rounded(level * 10**decimals)
        if part != level * weight or rounded(Fraction(told * weight * 100, 10**decimals)) == part_told:
            break
    return f"{told // 10**decimals}.{told % 10**decimals:0{decimals}}", amount(part_told)


def _parts(pieces: Fraction) -> str:
    return amount(rounded(pieces * 100))


def hundredths(micro: int) -> int:
    """Round micro-units to hundredths of a piece, halves away from zero."""
    return rounded(Fraction(100 * micro, MICRO))


def rounded(number: Fraction) -> int:
    """Round to a whole number, halves away from zero."""
    below = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return -below if number < 0 else below


def amount(hundredths: int) -> str:
    """Write hundredths of a piece: 0.62."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"


def ordinal(place: int) -> str:
    """Write a place in an order: 1st, 2nd, 3rd, 4th, 11th."""
    if place % 100 in {11, 12, 13}:
        return f"{place:,}th"
    return f"{place:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th') }"

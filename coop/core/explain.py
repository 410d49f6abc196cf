"""One true sentence to the member for each award, from numbers that the record keeps.

Parts of pieces are told in hundredths, so that the numbers in one sentence add up: the balances before and after are
rounded (halves away from zero), and what was added today is what lies between them.
"""

from fractions import Fraction

from coop.core.explain_facts import AwardFacts
from coop.core.explain_numbers import Wording, agreeing, amount, hundredths, ordinal, parts, rounded
from coop.core.explain_ways import Tie


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
    level, part = agreeing(facts.level, facts.weight, facts.part)
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
    loss = f"everyone is short by {parts(facts.level)} {wording.several} for one share point"
    if facts.weight > 1:
        loss += f", you with {facts.weight} by {parts(facts.level / facts.weight)}"
    if facts.part == 0:
        return f"{_shortage(facts, wording)}: {loss}, which is your whole wish of {facts.wish}"
    return f"{_shortage(facts, wording)}: {loss}, so yours is {_rounding(facts)}"


def _by_halves(facts: AwardFacts, wording: Wording) -> str:
    half = parts(Fraction(facts.wish, 2))
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
    return f"rounded from {parts(facts.part)} to {facts.award}"


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

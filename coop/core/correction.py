"""A batch shared out anew after a corrected yield: the same claims, seed and opening balances, from what is handed over up.

Nobody gives back what is in their hands: pieces handed over are a lower bound for each claim, and the rule hands out the
rest. Where a rule by itself would give a claim less than that, the claim keeps exactly what it has, and the rule divides
what is left among the others. For rules by price that is the same as handing out the cheapest pieces from the bounds up.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from coop.core.claims import MICRO, STANDING_RULE, WEBSTER_RULE, BatchInput, Outcome, Standing, Terms
from coop.core.errors import RuleBroken
from coop.core.standing import hand_out
from coop.core.tickets import ticket, tie_key

Value = TypeVar("Value")

Share = Callable[[BatchInput, Standing, Terms, bytes], Outcome]
"""Shares out one batch: the reference, or the worker's engine."""


def corrected(
    batch: BatchInput, floors: Sequence[int], standing: Standing, terms: Terms, seed: bytes, share: Share
) -> Outcome:
    """Share out a batch with its new pieces, from `floors` up; `standing` is where its members stood before it.

    Raises `below_delivered` where more is handed over than was made.
    """
    if sum(floors) > batch.units:
        raise RuleBroken(
            "below_delivered", f"{sum(floors)} pieces of this batch are handed over already; it cannot have been fewer."
        )
    kept = [min(floor, wish) for floor, wish in zip(floors, batch.requests, strict=True)]
    more_kept = [floor - own for floor, own in zip(floors, kept, strict=True)]
    units = min(batch.units - sum(more_kept), sum(batch.requests))
    wishes = replace(batch, units=units, tolerances=())
    outcome = _wishes_from(wishes, kept, standing, terms, seed, share)
    more = _more_from(batch, more_kept, batch.units - sum(outcome.awards), seed, share)
    return outcome._replace(awards=[award + extra for award, extra in zip(outcome.awards, more, strict=True)])


def _wishes_from(
    wishes: BatchInput, kept: Sequence[int], standing: Standing, terms: Terms, seed: bytes, share: Share
) -> Outcome:
    """Share out what was wished for; entitlements are those of the whole batch, whatever is handed over."""
    decided = None if wishes.rule == STANDING_RULE else _wishes_by_rule(wishes, kept, seed, share)
    if terms.memory is None:
        return Outcome(decided or ())
    wishes = replace(wishes, units=wishes.units if decided is None else sum(decided), rule=STANDING_RULE)
    free = share(wishes, standing, terms, seed)
    targets = [before + part for before, part in zip(free.opening, free.entitlements, strict=True)]
    awards = _due_from(wishes, kept, targets, seed) if decided is None else decided
    closing = [target - MICRO * award for target, award in zip(targets, awards, strict=True)]
    return Outcome(awards, free.entitlements, free.opening, closing, free.entitled)


def _due_from(wishes: BatchInput, kept: Sequence[int], targets: Sequence[int], seed: bytes) -> list[int]:
    """Hand out the pieces that are left to whoever is owed most, what they hold already taken off."""
    key = tie_key(seed, wishes.id)
    ranks = [(ticket(key, claim), claim.encode()) for claim in wishes.ids]
    left = [target - MICRO * own for target, own in zip(targets, kept, strict=True)]
    room = [wish - own for wish, own in zip(wishes.requests, kept, strict=True)]
    given = hand_out(left, room, wishes.units - sum(kept), ranks)
    return [own + extra for own, extra in zip(kept, given, strict=True)]


def _more_from(batch: BatchInput, kept: Sequence[int], left: int, seed: bytes, share: Share) -> Sequence[int]:
    """Share out what is left beyond the wishes, by the rule that extras go by."""
    if not any(batch.tolerances) or left == 0:
        return kept

    def given(places: Sequence[int], units: int) -> list[int]:
        some = _only(batch, places, units)
        some = replace(some, units=units + sum(some.requests), tolerances=_own(batch.tolerances, places))
        awards = share(some, Standing(), Terms(None), seed).awards
        return [max(0, award - wish) for award, wish in zip(awards, some.requests, strict=True)]

    return _filled_up(given, kept, left)


def _wishes_by_rule(wishes: BatchInput, kept: Sequence[int], seed: bytes, share: Share) -> list[int]:
    def given(places: Sequence[int], units: int) -> Sequence[int]:
        return share(_only(wishes, places, units), Standing(), Terms(None), seed).awards

    return _filled_up(given, kept, wishes.units)


def _filled_up(given: Callable[[Sequence[int], int], Sequence[int]], kept: Sequence[int], units: int) -> list[int]:
    """Divide `units` by `given` (claims' places, pieces); claims that would get less than they keep stand aside with that."""
    awards = list(kept)
    places = list(range(len(kept)))
    while places:
        some = given(places, units - sum(kept) + sum([kept[place] for place in places]))
        short = {place for place, award in zip(places, some, strict=True) if award < kept[place]}
        if not short:
            for place, award in zip(places, some, strict=True):
                awards[place] = award
            break
        places = [place for place in places if place not in short]
    return awards


def _only(batch: BatchInput, places: Sequence[int], units: int) -> BatchInput:
    """Give the batch with the wishes of some of its claims alone, by a rule that needs no balance."""
    return BatchInput(
        batch.id,
        units,
        _own(batch.ids, places),
        _own(batch.weights, places),
        _own(batch.requests, places),
        rule=WEBSTER_RULE if batch.rule == STANDING_RULE else batch.rule,
        tiers=_own(batch.tiers, places),
        times=_own(batch.times, places),
        rows=_own(batch.rows, places),
        packs=_own(batch.packs, places),
        minimums=_own(batch.minimums, places),
    )


def _own(column: Sequence[Value], places: Sequence[int]) -> list[Value]:
    return [column[place] for place in places] if column else []

"""How one batch was shared out, step by step: the level, each one's part, the order of turns, and who stood level at its end.

Nothing is decided here: the outcome comes from the engine, and this finds the numbers that explain it. Parts are exact
fractions before any rounding; turns are the pieces in the order in which the rule hands them out.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from heapq import nlargest, nsmallest
from math import floor

from coop.core.claims import MICRO, PATHS, BatchInput, Outcome, Terms, parts_of
from coop.core.order_rules import lottery_order
from coop.core.rules import Path
from coop.core.standing import average_heads, awards_above
from coop.core.ticket_arrays import tickets_of_many
from coop.core.tickets import claim_number, tie_key

Turn = tuple[int, Fraction]
"""Where a piece stands in the order of a rule, the lowest first; equal ones are settled by ticket."""


@dataclass(frozen=True, slots=True)
class Tie:
    """How a tie over the last pieces was settled: `place` of the own ticket among `level` claims, for `pieces` left."""

    pieces: int
    level: int
    place: int
    ticket: int


@dataclass(frozen=True)
class Way:
    """One batch with its outcome, on which every award can be explained; asks and awards stand by place in the batch."""

    batch: BatchInput
    outcome: Outcome
    terms: Terms
    seed: bytes

    @property
    def path(self) -> str:
        return parts_of(self.batch.rule)[0]

    @property
    def rounding(self) -> str:
        return parts_of(self.batch.rule)[1]

    @property
    def divides(self) -> bool:
        """Whether the rule divides exactly first and rounds then; the others go by an order, or by whole lots."""
        return self.path in PATHS

    @cached_property
    def shares(self) -> Sequence[int]:
        """What the path is equal for: share points, or wishes, or both."""
        batch = self.batch
        if self.path == "proportional":
            return batch.requests
        if self.path == "weighted_proportional":
            return [weight * wish for weight, wish in zip(batch.weights, batch.requests, strict=True)]
        return batch.weights

    @cached_property
    def demand(self) -> int:
        return sum(self.batch.requests)

    @cached_property
    def awards(self) -> list[int]:
        """What each wish received; pieces beyond the wishes are no part of it."""
        return [min(award, wish) for award, wish in zip(self.outcome.awards, self.batch.requests, strict=True)]

    @property
    def is_short(self) -> bool:
        """Whether a rule had to decide: something was made, but less than was wished for, by more than one."""
        return 0 < self.batch.units < self.demand and len(self.batch.ids) > 1

    @cached_property
    def heads(self) -> list[Fraction]:
        """What each had received for a share point before, where the season's memory counts it; empty elsewhere."""
        if not self.outcome.entitled or self.rounding != "standing":
            return []
        batch = self.batch
        return average_heads(self.outcome.entitled, batch.weights, batch.requests, self.terms.credit_cap)

    @cached_property
    def parts(self) -> list[Fraction]:
        """The exact part of each before it is rounded to pieces."""
        assert self.is_short
        assert self.divides
        batch = self.batch
        if self.heads:
            return awards_above(self.heads, batch.weights, batch.requests, batch.units)
        asking = [place for place, wish in enumerate(batch.requests) if wish]
        shares, wishes = [self.shares[p] for p in asking], [batch.requests[p] for p in asking]
        found = Path(self.path.removeprefix("weighted_"), shares, wishes).awards(batch.units)
        parts = [Fraction(0)] * len(batch.ids)
        for place, part in zip(asking, found, strict=True):
            parts[place] = part
        return parts

    @cached_property
    def level(self) -> Fraction:
        """What the path came to rest at: pieces for a share point (`cea`, the lower half of `talmud`), the part of every
        wish (`proportional`), or pieces that one share point is short of (`cel`, the upper half of `talmud`).
        """
        batch, losses = self.batch, self.tells_losses
        for place, (part, wish) in enumerate(zip(self.parts, batch.requests, strict=True)):
            limit = Fraction(wish, 2) if self.path == "talmud" else Fraction(wish)
            if losses and wish and wish - part < limit:
                return (wish - part) * batch.weights[place]
            if not losses and part < limit and (not self.heads or part):
                head = self.heads[place] if self.heads else 0
                return head + part / self.shares[place]
        ends = [head + part / weight for head, part, weight in zip(self.heads, self.parts, batch.weights, strict=False)]
        return max((end for end, part in zip(ends, self.parts, strict=False) if part), default=Fraction(0))

    @property
    def tells_losses(self) -> bool:
        """Whether the level is one of pieces missing rather than of pieces received."""
        return self.path == "cel" or (self.path == "talmud" and 2 * self.batch.units > self.demand)

    @cached_property
    def tickets(self) -> list[int]:
        """The tickets of all claims on this batch."""
        numbers = [claim_number(claim) for claim in self.batch.ids]
        return tickets_of_many([tie_key(self.seed, self.batch.id)], [len(numbers)], numbers)

    @cached_property
    def targets(self) -> list[int]:
        """What each was owed and entitled to, in micro-units, before the left-over micro-units are drawn for."""
        opening = self.outcome.opening
        return [before + floor(part * MICRO) for before, part in zip(opening, self.parts, strict=True)]

    @property
    def has_turns(self) -> bool:
        """Whether the rule hands out piece by piece in an order that can be shown."""
        return self.is_short and self.divides and self.rounding != "wheel"

    def turn(self, place: int, piece: int) -> Turn:
        """Give the turn of a claim's n-th piece, equal for all who stand level."""
        if self.rounding == "standing":
            return 0, Fraction(MICRO * (piece - 1) - self.targets[place], MICRO)
        if self.rounding == "largest_remainder":
            whole = floor(self.parts[place])
            if piece == whole + 1:
                return 1, whole - self.parts[place]
            return (0 if piece <= whole else 2), Fraction(piece)
        path = Path(self.path.removeprefix("weighted_"), self.shares, self.batch.requests)
        return path.price(place, piece, self.rounding)

    @cached_property
    def order(self) -> list[int]:
        """The claims that wish for anything, as `priority` or `lottery` serves them; empty under other rules."""
        batch = self.batch
        if self.path == "lottery":
            drawn = lottery_order(batch.ids, batch.weights, tie_key(self.seed, batch.id))
            return [place for place in drawn if batch.requests[place]]
        if self.path == "priority":
            tiers, times = (batch.tiers or [0] * len(batch.ids)), (batch.times or [0] * len(batch.ids))
            asking = [place for place, wish in enumerate(batch.requests) if wish]
            return sorted(asking, key=lambda p: (tiers[p], times[p], self.tickets[p], p))
        return []

    @property
    def ran_out_at(self) -> int:
        """The place in the order of the last claim that received any."""
        return max(nth for nth, place in enumerate(self.order, start=1) if self.awards[place])

    def rank(self, place: int, piece: int) -> tuple[Turn, int, int]:
        """Give the turn of a piece with what settles equal ones: the drawn micro-unit and the ticket."""
        return self._drawn_turn(place, piece), self.tickets[place], place

    def _drawn_turn(self, place: int, piece: int) -> Turn:
        if self.rounding != "standing":
            return self.turn(place, piece)
        owed = self.outcome.opening[place] + self.outcome.entitlements[place]
        return 0, Fraction(MICRO * (piece - 1) - owed, MICRO)

    def turn_of(self, place: int) -> int:
        """Count which turn a claim's last piece was, or its next one would have been if it received none."""
        own = self.rank(place, max(1, self.awards[place]))
        before = 0
        for other, wish in enumerate(self.batch.requests):
            before += bisect_left(range(1, wish + 1), own, key=lambda piece, other=other: self.rank(other, piece))  # type: ignore[misc]
        return before + 1

    @cached_property
    def ties(self) -> dict[int, Tie]:
        """Who stood level for the last pieces, by place, if tickets had to settle it.

        Tickets also hand out the last millionths of what each is entitled to. So whom only such a millionth divides
        stood level as well, where the tickets alone tell who received a piece.
        """
        if not self.has_turns:
            return {}
        near = self._level_within(Fraction(1, MICRO)) if self.rounding == "standing" else {}
        return near or self._level_within(Fraction(0))

    @cached_property
    def _last(self) -> int:
        """Who received the last piece of all; tickets are drawn only if several had the same turn."""
        turns = {place: self._drawn_turn(place, award) for place, award in enumerate(self.awards) if award}
        latest = max(turns.values())
        level = [place for place, turn in turns.items() if turn == latest]
        return level[0] if len(level) == 1 else max(level, key=lambda place: (self.tickets[place], place))

    def _level_within(self, apart: Fraction) -> dict[int, Tie]:
        awards, wishes = self.awards, self.batch.requests
        level = self.turn(self._last, awards[self._last])
        got = [p for p, award in enumerate(awards) if award and _is_near(self.turn(p, award), level, apart)]
        missed = [
            p for p, award in enumerate(awards) if award < wishes[p] and _is_near(self.turn(p, award + 1), level, apart)
        ]
        if not missed:
            return {}
        drawn = sorted((self.tickets[place], place) for place in got + missed)
        if {place for _, place in drawn[: len(got)]} != set(got):
            return {}
        return {place: Tie(len(got), len(drawn), nth, ticket) for nth, (ticket, place) in enumerate(drawn, start=1)}


def _is_near(one: Turn, other: Turn, apart: Fraction) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= apart


def with_the_turns_around(way: Way, place: int, near: int = 6) -> list[tuple[int, int]]:
    """Give the last turns that brought a piece and the first that did not, as (place, piece), the own one among them."""
    assert way.has_turns
    got = _outward(way, near, given=True)
    missed = _outward(way, near, given=False)
    own = (place, max(1, way.awards[place]))
    shown = [*reversed(got), *missed]
    if own not in shown and way.batch.requests[place]:
        shown = [own, *shown] if way.awards[place] else [*shown, own]
    return shown


def _outward(way: Way, near: int, *, given: bool) -> list[tuple[int, int]]:
    """Give the pieces closest to the cut-off on one side of it, the closest first."""
    wishes, step = way.batch.requests, -1 if given else 1
    choose = nlargest if given else nsmallest
    fronts = [(p, award if given else award + 1) for p, award in enumerate(way.awards)]
    fronts = [(p, piece) for p, piece in fronts if 1 <= piece <= wishes[p]]
    fronts = choose(near, fronts, key=lambda one: way.rank(*one))  # the closest pieces are all of these claims
    pieces = [(p, piece + step * far) for p, piece in fronts for far in range(near)]
    pieces = [(p, piece) for p, piece in pieces if 1 <= piece <= wishes[p]]
    return choose(near, pieces, key=lambda one: way.rank(*one))

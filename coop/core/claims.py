"""The values of a problem: claims on a batch, the batch with its claims in columns, and what sharing it out gave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from coop.core.errors import RuleBroken

MICRO = 1_000_000
"""Micro-units in one piece: the unit in which members are owed."""

STANDING_RULE = "cea/standing@1"
WEBSTER_RULE = "cea/webster@1"
PRIORITY_RULE = "priority@1"
LOTS_RULE = "lots@1"
TOGETHER_RULE = "leximin/webster@1"
"""Batches that go by it may be alternatives of each other; of one batch alone leximin is equal awards."""

OFFERED_RULES = (
    STANDING_RULE,
    WEBSTER_RULE,
    "cea/largest_remainder@1",
    "proportional/largest_remainder@1",
    "cel/largest_remainder@1",
    "talmud/largest_remainder@1",
    PRIORITY_RULE,
    "lottery@1",
    TOGETHER_RULE,
)
"""What a co-op may choose for a season or an offering; by any of `RULES` a batch can be shared out and checked."""

_ROUNDINGS = ("webster", "largest_remainder", "adams", "jefferson", "wheel")
PATHS = {
    "cea": (*_ROUNDINGS, "hill", "dean"),
    "proportional": _ROUNDINGS,
    "weighted_proportional": _ROUNDINGS,
    "cel": _ROUNDINGS,
    "talmud": _ROUNDINGS,
}
"""The divisible paths, each with the roundings that make whole pieces of it."""

ORDERS = ("priority", "lottery", "lots")
RULES = (
    STANDING_RULE,
    *(f"{path}/{rounding}@1" for path, roundings in PATHS.items() for rounding in roundings),
    *(f"{order}@1" for order in ORDERS),
    TOGETHER_RULE,
)
MEMORIES = ("rounding", "season")


@dataclass(frozen=True, slots=True)
class Row:
    """One dated part of a claim, for the rule `priority`."""

    time: int
    quantity: int
    tolerance: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """One member's wish on one batch, with everything any rule may look at; `request` None means no limit."""

    id: str
    weight: int
    request: int | None
    cap: int | None = None
    pack: int = 1
    minimum: int = 0
    tier: int = 0
    time: int = 0
    tolerance: int = 0
    rows: tuple[Row, ...] = ()

    def limit(self, units: int) -> int:
        """Give the most pieces the wish allows; without any limit that is the whole batch."""
        limits = [limit for limit in (self.request, self.cap) if limit is not None]
        return min(limits) if limits else units

    def second_limit(self, units: int) -> int:
        """Give the pieces that the claim would take on top of its limit when wishes do not use up the batch."""
        limit = self.limit(units)
        room = self.tolerance if self.cap is None else max(0, self.cap - limit)
        return min(self.tolerance, room)

    def dated_rows(self, units: int, *, use_tolerance: bool) -> tuple[Row, ...]:
        """Give its dated rows in the order of time; what exceeds its limit is eaten from the newest row on."""
        own = self.rows or (Row(self.time, self.limit(units), self.tolerance),)
        excess = sum(row.quantity for row in own) - self.limit(units)
        unlimited = self.request is None and self.cap is None
        rows: list[Row] = []
        for row in reversed(sorted(own, key=lambda row: row.time)):  # noqa: C413 - rows of one time keep their order
            eaten = 0 if unlimited else min(max(0, excess), row.quantity)
            excess -= eaten
            rows.append(Row(row.time, row.quantity - eaten, row.tolerance if use_tolerance else 0))
        return tuple(reversed(rows))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a season agreed before its first pool opened; `memory` None keeps no balances.

    `credit_cap` is in pieces per share point and belongs to memory "season" only.
    """

    memory: str | None = "rounding"
    credit_cap: int | None = None

    def __post_init__(self) -> None:
        if self.memory is not None and self.memory not in MEMORIES:
            raise RuleBroken("unknown_memory", "The memory of a season is `rounding` or `season`.", field="memory")
        if self.credit_cap is not None and (self.memory != "season" or self.credit_cap < 0):
            raise RuleBroken(
                "credit_cap_not_allowed",
                "A credit cap is a whole number from 0 on, and belongs to the memory `season` only.",
                field="credit_cap",
            )


@dataclass(frozen=True, slots=True)
class BatchInput:
    """A batch and its frozen claims in columns, in rising order of the claim ids' bytes.

    `requests` are the wishes, `tolerances` how many pieces more each would take ("up to" less wish; empty: nobody).
    `version` is 1, and one more for each corrected yield.

    The rest may be empty, and concerns two rules alone. `priority`: `tiers` (0), and `times` (0) at which each wish was
    made, or `rows`, the dated parts of each, in order of time, which add up to request and tolerance. `lots`: `packs`
    (1) and `minimums` (0).

    `members` may say for each claim id its place in one list of names, the same for all batches that are shared out in
    one go: long batches then need not look thousands of names up again.
    """

    id: str
    units: int
    ids: Sequence[str]
    weights: Sequence[int]
    requests: Sequence[int]
    tolerances: Sequence[int] = ()
    rule: str = STANDING_RULE
    version: int = 1
    tiers: Sequence[int] = ()
    times: Sequence[int] = ()
    rows: Sequence[Sequence[Row]] = ()
    packs: Sequence[int] = ()
    minimums: Sequence[int] = ()
    members: Sequence[int] = ()


class Outcome(NamedTuple):
    """What one batch gave, in the order of its claims; micro-units but for the awards, which are pieces.

    `entitlements`, `opening` and `closing` are empty in a season that keeps no balances; `entitled` holds what each
    was entitled to before this batch, for memory "season" only. Entitlements concern wishes, never tolerances.
    """

    awards: Sequence[int]
    entitlements: Sequence[int] = ()
    opening: Sequence[int] = ()
    closing: Sequence[int] = ()
    entitled: Sequence[int] = ()


@dataclass(slots=True)
class Standing:
    """What each member is owed, and (memory "season") was entitled to so far, in micro-units by claim id.

    Whose balance never moved may be missing, and stands at 0.
    """

    owed: dict[str, int] = field(default_factory=dict)
    entitled: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Standing":
        return Standing(dict(self.owed), dict(self.entitled))

    def add(self, ids: Sequence[str], outcome: Outcome) -> None:
        """Move on to where the members stand after a batch."""
        if outcome.closing is not outcome.opening:
            self.owed.update(zip(ids, outcome.closing, strict=True))
        if outcome.entitled:
            sums = [before + part for before, part in zip(outcome.entitled, outcome.entitlements, strict=True)]
            self.entitled.update(zip(ids, sums, strict=True))


def rule_named(text: str) -> str:
    """Find the full id of a rule; `cea/standing` is read as `cea/standing@1`."""
    full = text if "@" in text else f"{text}@1"
    if full not in RULES:
        offered = ", ".join(OFFERED_RULES)
        raise RuleBroken("unknown_rule", f"There is no rule “{text}”; the rules offered are {offered}.", field="rule")
    return full


def parts_of(rule: str) -> tuple[str, str]:
    """Split a rule's full id into its path and rounding, or its order and ""."""
    if rule == TOGETHER_RULE:
        return "cea", "webster"
    name, _, rounding = rule.partition("@")[0].partition("/")
    return name, rounding

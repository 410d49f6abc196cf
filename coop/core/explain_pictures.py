"""What the drawings of a sharing out need: columns filled to a level, sums laid on a line, turns around the cut-off.

Places are percent of the drawing and only for the eye; the numbers beside them are told exactly or in hundredths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from coop.core.explain_numbers import amount, hundredths, rounded
from coop.core.explain_ways import Tie, Way, with_the_turns_around

LEAST_OWN = Fraction(1, 40)
"""The least part of the drawing's width that the own column takes, so that it can be seen among thousands."""

MOST_DOTS = 60


@dataclass(frozen=True, slots=True)
class Column:
    """Claims that stand equally high: how far they are filled, their wish above it, and what they had before below."""

    x: float
    width: float
    floor: float
    filled: float
    wish: float
    is_own: bool


@dataclass(frozen=True, slots=True)
class Water:
    """Columns side by side, as wide as their share points, filled to one `level` (None where the rule has no common one)."""

    columns: Sequence[Column]
    level: float | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """One stretch on a line of pieces: `words` and amount as told, and where it lies."""

    words: str
    told: str
    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class TurnShown:
    """One turn near the cut-off: which it was, whose, whether it brought a piece, and what it is ordered by."""

    nth: int
    is_own: bool
    is_given: bool
    told: str
    width: float


@dataclass(frozen=True, slots=True)
class Draw:
    """Tickets in their order: for each that is shown whether it brought a piece and whether it is the own one."""

    tie: Tie
    dots: Sequence[tuple[bool, bool]]
    hidden: int

    @property
    def ticket(self) -> str:
        return f"{self.tie.ticket:016x}"


def water(way: Way, own: int) -> Water:
    """Draw how the batch filled the claims, equal columns put together, from the lowest wish to the highest."""
    is_level = way.path in {"cea", "proportional", "weighted_proportional"}
    sums: dict[tuple[bool, Fraction, Fraction, Fraction], Fraction] = {}
    for place, (wish, part) in enumerate(zip(way.batch.requests, way.parts, strict=True)):
        if wish:
            wide = Fraction(way.shares[place] if is_level else 1)
            floor = way.heads[place] if way.heads else Fraction(0)
            column = (place == own, floor + wish / wide, floor, floor + part / wide)
            sums[column] = sums.get(column, Fraction(0)) + wide
    bottom = min(floor for _, _, floor, _ in sums)
    level = way.level if is_level else None
    reached = max(filled for _, _, _, filled in sums) - bottom
    highest = max(wish for _, wish, _, _ in sums) - bottom
    top = min(highest, max(reached * Fraction(5, 2), *(wish - bottom for is_own, wish, _, _ in sums if is_own)))
    whole = sum(sums.values(), Fraction(0))
    widths = {key: max(wide / whole, LEAST_OWN) if key[0] else wide / whole for key, wide in sums.items()}
    stretch = sum(widths.values(), Fraction(0))
    columns, x = [], Fraction(0)
    for key in sorted(widths, key=lambda column: (column[1], column[0])):
        is_own, wide = key[0], widths[key] / stretch
        high, low, reach = (_percent(min(Fraction(1), (end - bottom) / top)) for end in key[1:])
        columns.append(Column(_percent(x), _percent(wide), low, reach, high, is_own))
        x += wide
    return Water(columns, None if level is None else _percent((level - bottom) / top), highest > top)


def account(before: int, entitled: int, award: int, after: int) -> list[Strip]:
    """Lay what was owed, what today added, what was received and what is owed now on one line, in hundredths that add up."""
    opening, closing = hundredths(before), hundredths(after)
    total = closing + 100 * award
    assert abs(total - opening - hundredths(entitled)) <= 1
    ends = (0, opening, total, 100 * award)
    low, high = min(ends), max(*ends, min(ends) + 1)

    def strip(words: str, start: int, end: int, tone: str, told: str) -> Strip:
        left, right = sorted((start, end))
        return Strip(words, told, _percent(Fraction(left - low, high - low)), _percent(Fraction(right - left, high - low)), tone)  # fmt: skip

    ahead = "You were ahead" if opening < 0 else "You were owed"
    now_ahead = "You are ahead now" if closing < 0 else "You are owed now"
    return [
        strip(ahead, 0, opening, "honey" if opening < 0 else "indigo", amount(abs(opening))),
        strip("Entitled to today", opening, total, "moss", amount(total - opening)),
        strip("Received", 0, 100 * award, "clay", str(award)),
        strip(now_ahead, 100 * award, total, "honey" if closing < 0 else "indigo", amount(abs(closing))),
    ]


def turns(way: Way, own: int) -> list[TurnShown]:
    """Show the turns around the cut-off, and the own one wherever it came."""
    shown = with_the_turns_around(way, own)
    given = [turn for turn in shown if turn[1] <= way.awards[turn[0]]]
    missed = len(shown) - len(given)
    units = way.batch.units
    places = [*range(units - len(given) + 1, units + 1), *range(units + 1, units + missed + 1)]
    worths = [_worth(way, *turn) for turn in shown]
    most = max([*worths, Fraction(1, 100)])
    found = []
    for nth, (place, piece), worth in zip(places, shown, worths, strict=True):
        is_own = place == own
        told = way.turn_of(place) if is_own and piece == max(1, way.awards[place]) else nth
        width = _percent(max(worth, Fraction(0)) / most)
        found.append(TurnShown(told, is_own, piece <= way.awards[place], amount(rounded(worth * 100)), width))
    return found


def served(way: Way, own: int, near: int = 6) -> list[TurnShown]:
    """Show who came before and after the pieces ran out, under a rule that goes by an order, and the own claim."""
    shown = range(max(0, way.ran_out_at - near), min(len(way.order), way.ran_out_at + near))
    at = way.order.index(own)
    places = sorted({*shown, at})
    found = []
    for nth in places:
        place = way.order[nth]
        award, wish = way.awards[place], way.batch.requests[place]
        width = _percent(Fraction(award, wish))
        found.append(TurnShown(nth + 1, place == own, award > 0, f"{award} of {wish}", width))
    return found


def draw(tie: Tie) -> Draw:
    """Lay out the tickets of those who stood level, at most `MOST_DOTS` of them."""
    dots = [(nth <= tie.pieces, nth == tie.place) for nth in range(1, tie.level + 1)]
    return Draw(tie, dots[:MOST_DOTS], max(0, tie.level - MOST_DOTS))


def _worth(way: Way, place: int, piece: int) -> Fraction:
    """Give what a turn is ordered by, as it is told: pieces owed before it, the level it falls due at, or a remainder."""
    phase, price = way.turn(place, piece)
    if way.rounding == "largest_remainder" and phase != 1:
        return Fraction(1 if phase == 0 else 0)
    if way.rounding == "standing" or price < 0:
        return -price
    return price


def _percent(part: Fraction) -> float:
    return round(float(100 * part), 2)

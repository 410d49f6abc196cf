"""Picking in turns: whoever's turn it is takes the thing it values most among those that are left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picker:
    """An agent who takes at most `capacity` things, one of each at most; of equal values the first listed comes first.

    `barred` things are out of the question; `conflicts` says which things do not go together for this agent.
    """

    capacity: int
    values: Mapping[str, int]
    barred: Collection[str] = ()
    conflicts: Mapping[str, Collection[str]] | None = None


def picked(
    pickers: Mapping[str, Picker],
    things: Mapping[str, int],
    order: Sequence[str],
    thing_conflicts: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Go round `order` again and again; who can take nothing is out for good. Gives each agent's things, sorted.

    A thing that stands under another in a table of conflicts is in conflict with it both ways.
    """
    left = dict(things)
    taken: dict[str, list[str]] = {name: [] for name in pickers}
    shut = {name: {*picker.barred} for name, picker in pickers.items()}
    common = _both_ways(thing_conflicts)
    own = {name: _both_ways(picker.conflicts or {}) for name, picker in pickers.items()}
    choices = {name: iter(_best_first(picker.values)) for name, picker in pickers.items()}
    waiting = list(order)
    while waiting:
        staying = []
        out: set[str] = set()
        for name in waiting:
            if name in out or len(taken[name]) == pickers[name].capacity:
                continue
            thing = next((thing for thing in choices[name] if left.get(thing, 0) and thing not in shut[name]), None)
            if thing is None:
                out.add(name)
                continue
            left[thing] -= 1
            taken[name].append(thing)
            shut[name] |= common.get(thing, set()) | own[name].get(thing, set())
            staying.append(name)
        waiting = [name for name in staying if name not in out]
    return {name: sorted(names) for name, names in taken.items()}


def _best_first(values: Mapping[str, int]) -> list[str]:
    return sorted(values, key=lambda thing: -values[thing])


def _both_ways(conflicts: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    both: dict[str, set[str]] = {}
    for thing, others in conflicts.items():
        for other in others:
            both.setdefault(thing, set()).add(other)
            both.setdefault(other, set()).add(thing)
    return both

"""Picking in turns: whoever's turn it is takes the item it values most among those that are left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picker:
    """An agent who takes at most `capacity` items, one of each at most; of equal values the first listed comes first.

    `barred` items are out of the question; `conflicts` says which items do not go together for this agent.
    """

    capacity: int
    values: Mapping[str, int]
    barred: Collection[str] = ()
    conflicts: Mapping[str, Collection[str]] | None = None


def picked(
    pickers: Mapping[str, Picker],
    items: Mapping[str, int],
    order: Sequence[str],
    item_conflicts: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Go round `order` again and again; who can take nothing is out for good. Gives each agent's items, sorted.

    An item that stands under another in a table of conflicts is in conflict with it both ways.
    """
    left = dict(items)
    taken: dict[str, list[str]] = {name: [] for name in pickers}
    shut = {name: {*picker.barred} for name, picker in pickers.items()}
    common = _both_ways(item_conflicts)
    own = {name: _both_ways(picker.conflicts or {}) for name, picker in pickers.items()}
    choices = {name: iter(_best_first(picker.values)) for name, picker in pickers.items()}
    waiting = list(order)
    while waiting:
        staying = []
        out: set[str] = set()
        for name in waiting:
            if name in out or len(taken[name]) == pickers[name].capacity:
                continue
            item = next((item for item in choices[name] if left.get(item, 0) and item not in shut[name]), None)
            if item is None:
                out.add(name)
                continue
            left[item] -= 1
            taken[name].append(item)
            shut[name] |= common.get(item, set()) | own[name].get(item, set())
            staying.append(name)
        waiting = [name for name in staying if name not in out]
    return {name: sorted(names) for name, names in taken.items()}


def _best_first(values: Mapping[str, int]) -> list[str]:
    return sorted(values, key=lambda item: -values[item])


def _both_ways(conflicts: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    both: dict[str, set[str]] = {}
    for item, others in conflicts.items():
        for other in others:
            both.setdefault(item, set()).add(other)
            both.setdefault(other, set()).add(item)
    return both

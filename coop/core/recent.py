"""Results that were worked out lately, kept under what they were worked out from: a bounded memory of one process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Recent(Generic[Key, Found]):
    """Keep at most `most` results, those asked for last. A key must say all that its result depends on: none is ever withdrawn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Found] = OrderedDict()
        self._lock = Lock()

    def of(self, key: Key, work: Callable[[], Found]) -> Found:
        """Give the result kept under the key, or work it out and keep it; two threads may work out the same one."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = work()
        self._keep({key: found})
        return found

    def of_many(self, keys: Sequence[Key], work: Callable[[list[int]], Sequence[Found]]) -> list[Found]:
        """Give a result for each key; `work` is told the places of those that are not kept, and works them out in one go."""
        found: dict[Key, Found] = {}
        with self._lock:
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[key] = self._kept[key]
        missing = [place for place, key in enumerate(keys) if key not in found]
        if missing:
            new = {keys[place]: one for place, one in zip(missing, work(missing), strict=True)}
            found |= new
            self._keep(new)
        return [found[key] for key in keys]

    def _keep(self, new: Mapping[Key, Found]) -> None:
        with self._lock:
            for key, one in new.items():
                self._kept[key] = one
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)

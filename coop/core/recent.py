"""Results that were worked out lately, kept under what they were worked out from: a bounded memory of one process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
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
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._kept)

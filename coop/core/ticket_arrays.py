"""Tickets by arrays: SipHash-2-4 over many claims at once, and who comes first by them.

Long arrays are drawn by two threads, each its own half: what comes out does not depend on who computes it.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Words = NDArray[np.uint64]
Places = NDArray[np.intp]

Found = TypeVar("Found")

_CHUNK = 1 << 16
"""Long enough that two threads seldom wait for each other between calls, short enough for the processor's cache."""

_TWO_THREADS_FROM = 1 << 16
_DRAWS_AT_ONCE = 1 << 20
_OWN = threading.local()
_LEFT = {bits: np.array(bits, np.uint64) for bits in (13, 16, 17, 21, 32)}
_RIGHT = {bits: np.array(64 - bits, np.uint64) for bits in _LEFT}


def first_by_ticket(places: Places, many: int, key: bytes, numbers: Words) -> NDArray[np.bool_]:
    """Mark the `many` of `places` (rising) with the lowest tickets, equal tickets by place."""
    if many in {0, len(places)}:
        return np.full(len(places), many > 0)
    return lowest(_siphash(*_halves(key), [numbers], places), many)


def lowest(drawn: Words, many: int) -> NDArray[np.bool_]:
    """Mark the `many` lowest numbers, 0 < `many` <= all, equal ones from the front."""
    mark = np.partition(drawn, many - 1)[many - 1]
    chosen: NDArray[np.bool_] = drawn < mark
    chosen[np.flatnonzero(drawn == mark)[: many - int(np.count_nonzero(chosen))]] = True
    return chosen


def in_ticket_order(key: bytes, numbers: Words) -> Places:
    """Give all places by rising ticket, equal tickets by place."""
    return np.argsort(tickets(key, numbers), kind="stable")


def tickets(key: bytes, numbers: Words) -> Words:
    """Draw the tickets of one batch's claims under its `tie_key`."""
    return _siphash(*_halves(key), [numbers])


def tickets_of_many(keys: Sequence[bytes], sizes: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Draw the tickets of many batches in one go: `sizes` says how many of `numbers` belong to each batch's key."""
    halves = np.frombuffer(b"".join(keys), "<u8").astype(np.uint64).reshape(-1, 2).repeat(sizes, axis=0)
    drawn: list[int] = _siphash(halves[:, 0], halves[:, 1], [np.array(numbers, np.uint64)]).tolist()
    return drawn


def best_share_tickets(key: bytes, numbers: Words, weights: Whole) -> Words:
    """Draw a ticket for each share point of each claim, and give the lowest of each claim."""
    halves = _halves(key)
    best = np.empty(len(numbers), np.uint64)
    ends = np.cumsum(weights)
    start = 0
    while start < len(numbers):
        before = ends[start] - weights[start]
        stop = max(start + 1, int(np.searchsorted(ends, before + _DRAWS_AT_ONCE, "right")))
        own = weights[start:stop]
        firsts = ends[start:stop] - own - before
        points = np.arange(own.sum()) - np.repeat(firsts, own)
        words = [np.repeat(numbers[start:stop], own), points.astype(np.uint64)]
        best[start:stop] = np.minimum.reduceat(_siphash(*halves, words), firsts)
        start = stop
    return best


def by_two(many: int, work: Callable[[slice], Found]) -> list[Found]:
    """Let each of two threads do its half of many places, short ones in one piece; gives what they found, in order."""
    if many < _TWO_THREADS_FROM:
        return [work(slice(0, many))]
    with ThreadPoolExecutor(1) as other:
        first = other.submit(work, slice(0, many // 2))
        second = work(slice(many // 2, many))
        return [first.result(), second]


def _halves(key: bytes) -> tuple[Words, Words]:
    halves = np.frombuffer(key, "<u8").astype(np.uint64)
    return halves[:1], halves[1:]


def _siphash(k0: Words, k1: Words, words: Sequence[Words], places: Places | None = None) -> Words:
    """SipHash-2-4 of messages of one or two 8-byte words, of those at `places` if told; keys of length 1 serve all."""
    drawn = np.empty(len(words[0] if places is None else places), np.uint64)
    by_two(len(drawn), lambda part: _draw(k0, k1, words, places, drawn, part))
    return drawn


def _draw(k0: Words, k1: Words, words: Sequence[Words], places: Places | None, drawn: Words, part: slice) -> None:
    """Fill in one part of the tickets, in chunks of equal length."""
    chunks = -(-(part.stop - part.start) // _CHUNK)
    ends = [part.start + (part.stop - part.start) * chunk // max(1, chunks) for chunk in range(chunks + 1)]
    for chunk in map(slice, ends, ends[1:]):
        first, second = (k0, k1) if len(k0) == 1 else (k0[chunk], k1[chunk])
        messages = [word[chunk] if places is None else word.take(places[chunk]) for word in words]
        _hash(first, second, messages, drawn[chunk])


def _hash(k0: Words, k1: Words, words: Sequence[Words], drawn: Words) -> None:
    state = _State(len(drawn))
    state.start(k0, k1, words[0])
    for word in words[1:]:
        state.d ^= word
        state.rounds(2)
        state.a ^= word
    length = np.uint64(8 * len(words) << 56)
    state.d ^= length
    state.rounds(2)
    state.a ^= length
    state.c ^= np.uint64(0xFF)
    state.rounds(3)
    state.finish(drawn)


class _State:
    """The four words of SipHash for each of many messages."""

    def __init__(self, many: int) -> None:
        self.a, self.b, self.c, self.d, self._room = (part[:many] for part in _spare())

    def start(self, k0: Words, k1: Words, word: Words) -> None:
        """Take in the key and the first word; what a common key does to `a` and `b` is worked out once for all."""
        a, b = k0 ^ np.uint64(0x736F6D6570736575), k1 ^ np.uint64(0x646F72616E646F6D)
        np.bitwise_xor(word, k1 ^ np.uint64(0x7465646279746573), self.d)
        np.add(self.d, k0 ^ np.uint64(0x6C7967656E657261), self.c)
        a += b
        b = _turned(b, 13) ^ a
        _turn(self.d, 16, self.c, self._room)
        np.add(self.d, _turned(a, 32), self.a)
        _turn(self.d, 21, self.a, self._room)
        self.c += b
        np.bitwise_xor(_turned(b, 17), self.c, self.b)
        _swap(self.c, self._room)
        self.rounds(1)
        self.a ^= word

    def rounds(self, times: int) -> None:
        a, b, c, d, room = self.a, self.b, self.c, self.d, self._room
        for _ in range(times):
            np.add(a, b, a)
            _turn(b, 13, a, room)
            _swap(a, room)
            np.add(c, d, c)
            _turn(d, 16, c, room)
            np.add(a, d, a)
            _turn(d, 21, a, room)
            np.add(c, b, c)
            _turn(b, 17, c, room)
            _swap(c, room)

    def finish(self, drawn: Words) -> None:
        """Go through the last round and add up the words; as `a` falls out of the sum, the round needs half of it only."""
        a, b, c, d, room = self.a, self.b, self.c, self.d, self._room
        np.add(a, b, a)
        _turn(b, 13, a, room)
        np.add(c, d, c)
        _turn(d, 16, c, room)
        np.add(c, b, c)
        _turn(d, 21, c, room)
        np.left_shift(b, _LEFT[17], room)
        np.right_shift(b, _RIGHT[17], b)
        np.bitwise_xor(b, room, b)
        _swap(c, room)
        np.bitwise_xor(b, c, b)
        np.bitwise_xor(b, d, drawn)


def _spare() -> Sequence[Words]:
    """Give each thread its own columns to work in, kept: fresh memory costs as much as the work."""
    if not hasattr(_OWN, "spare"):
        _OWN.spare = [np.empty(_CHUNK, np.uint64) for _ in range(5)]
    spare: Sequence[Words] = _OWN.spare
    return spare


def _turned(word: Words, bits: int) -> Words:
    turned: Words = word << _LEFT[bits] | word >> _RIGHT[bits]
    return turned


def _turn(word: Words, bits: int, other: Words, room: Words) -> None:
    """Rotate left, in place, and add the other word bit by bit."""
    np.left_shift(word, _LEFT[bits], room)
    np.right_shift(word, _RIGHT[bits], word)
    np.bitwise_xor(word, room, word)
    np.bitwise_xor(word, other, word)


def _swap(word: Words, room: Words) -> None:
    """Exchange the two halves of each word, in place."""
    np.left_shift(word, _LEFT[32], room)
    np.right_shift(word, _RIGHT[32], word)
    np.bitwise_or(word, room, word)

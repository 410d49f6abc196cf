"""Tickets by arrays: SipHash-2-4 over many claims at once, and who comes first by them.

Long arrays are drawn by two threads, each its own half: what comes out does not depend on who computes it.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Words = NDArray[np.uint64]
Places = NDArray[np.intp]

_CHUNK = 1 << 15
_TWO_THREADS_FROM = 1 << 16
_DRAWS_AT_ONCE = 1 << 20
_OWN = threading.local()
_BITS = tuple(np.array(bits, np.uint64) for bits in range(65))


def first_by_ticket(places: Places, many: int, key: bytes, numbers: Words) -> NDArray[np.bool_]:
    """Mark the `many` of `places` (rising) with the lowest tickets, equal tickets by place."""
    if many in {0, len(places)}:
        return np.full(len(places), many > 0)
    return lowest(tickets(key, numbers[places]), many)


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
    halves = np.frombuffer(key, "<u8").astype(np.uint64)
    return _siphash(halves[:1], halves[1:], [numbers])


def tickets_of_many(keys: Sequence[bytes], sizes: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Draw the tickets of many batches in one go: `sizes` says how many of `numbers` belong to each batch's key."""
    halves = np.frombuffer(b"".join(keys), "<u8").astype(np.uint64).reshape(-1, 2).repeat(sizes, axis=0)
    drawn: list[int] = _siphash(halves[:, 0], halves[:, 1], [np.array(numbers, np.uint64)]).tolist()
    return drawn


def best_share_tickets(key: bytes, numbers: Words, weights: Whole) -> Words:
    """Draw a ticket for each share point of each claim, and give the lowest of each claim."""
    halves = np.frombuffer(key, "<u8").astype(np.uint64)
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
        best[start:stop] = np.minimum.reduceat(_siphash(halves[:1], halves[1:], words), firsts)
        start = stop
    return best


def _siphash(k0: Words, k1: Words, words: Sequence[Words]) -> Words:
    """SipHash-2-4 of messages of one or two 8-byte words; keys of length 1 serve all."""
    many = len(words[0])
    drawn = np.empty(many, np.uint64)
    if many < _TWO_THREADS_FROM:
        _draw(k0, k1, words, drawn, 0, many)
        return drawn
    with ThreadPoolExecutor(1) as other:
        half = other.submit(_draw, k0, k1, words, drawn, 0, many // 2)
        _draw(k0, k1, words, drawn, many // 2, many)
        half.result()
    return drawn


def _draw(k0: Words, k1: Words, words: Sequence[Words], drawn: Words, begin: int, end: int) -> None:
    """Fill in the tickets from `begin` to `end`, in chunks so long that calling takes no time and so short that they stay in the processor's cache."""
    spare = _spare()
    length = np.uint64(8 * len(words) << 56)
    for start in range(begin, end, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, end))
        first, second = (k0, k1) if len(k0) == 1 else (k0[chunk], k1[chunk])
        a, b, c, d, room = (part[: chunk.stop - start] for part in spare)
        a[:] = first ^ np.uint64(0x736F6D6570736575)
        b[:] = second ^ np.uint64(0x646F72616E646F6D)
        c[:] = first ^ np.uint64(0x6C7967656E657261)
        d[:] = second ^ np.uint64(0x7465646279746573)
        for word in words:
            d ^= word[chunk]
            _rounds(2, a, b, c, d, room)
            a ^= word[chunk]
        d ^= length
        _rounds(2, a, b, c, d, room)
        a ^= length
        c ^= np.uint64(0xFF)
        _rounds(4, a, b, c, d, room)
        a ^= b
        c ^= d
        np.bitwise_xor(a, c, out=drawn[chunk])


def _spare() -> Sequence[Words]:
    """Give each thread its own five columns to work in, kept: fresh memory costs as much as the work."""
    if not hasattr(_OWN, "spare"):
        _OWN.spare = [np.empty(_CHUNK, np.uint64) for _ in range(5)]
    spare: Sequence[Words] = _OWN.spare
    return spare


def _rounds(times: int, a: Words, b: Words, c: Words, d: Words, room: Words) -> None:
    for _ in range(times):
        a += b
        _turn(b, 13, a, room)
        _swap(a, room)
        c += d
        _turn(d, 16, c, room)
        a += d
        _turn(d, 21, a, room)
        c += b
        _turn(b, 17, c, room)
        _swap(c, room)


def _turn(word: Words, bits: int, other: Words, room: Words) -> None:
    """Rotate left, in place, and add the other word bit by bit."""
    np.left_shift(word, _BITS[bits], room)
    np.right_shift(word, _BITS[64 - bits], word)
    np.bitwise_xor(word, room, word)
    np.bitwise_xor(word, other, word)


def _swap(word: Words, room: Words) -> None:
    """Exchange the two halves of each word, in place."""
    np.left_shift(word, _BITS[32], room)
    np.right_shift(word, _BITS[32], word)
    np.bitwise_or(word, room, word)

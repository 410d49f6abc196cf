"""Tickets, the only chance in sharing out: seeds, keys of claims, SipHash-2-4, and the offset of the wheel.

A ticket depends on the seed, the batch and its own claim, never on who else is there; so ties stay consistent
when somebody leaves. SipHash: Aumasson & Bernstein, "SipHash: a fast short-input PRF" (2012).
"""

import hashlib
from fractions import Fraction

NO_SEED = bytes(32)
"""The seed of a worked problem that names none."""

_MASK = (1 << 64) - 1


def siphash(key: bytes, message: bytes) -> int:
    """Compute SipHash-2-4 of `message` under a 16-byte `key`, as a whole number below 2^64."""
    assert len(key) == 16
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    state = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    whole = len(message) // 8 * 8
    for start in range(0, whole, 8):
        state = _absorb(state, int.from_bytes(message[start : start + 8], "little"))
    tail = message[whole:].ljust(7, b"\0") + bytes([len(message) & 0xFF])
    a, b, c, d = _absorb(state, int.from_bytes(tail, "little"))
    state = (a, b, c ^ 0xFF, d)
    for _ in range(4):
        state = _round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def tie_key(seed: bytes, batch_id: str) -> bytes:
    """Derive the 16-byte SipHash key of a batch from the 32-byte seed."""
    return hashlib.sha256(b"alloc-tie/1\0" + seed + b"\0" + batch_id.encode()).digest()[:16]


def claim_key(claim_id: str) -> bytes:
    """Give the 8 bytes that stand for a claim in its tickets; they do not depend on the batch and may be kept."""
    return hashlib.sha256(claim_id.encode()).digest()[:8]


def claim_number(claim_id: str) -> int:
    """Give `claim_key` as the little-endian number that the array kernel takes."""
    return int.from_bytes(claim_key(claim_id), "little")


def ticket(key: bytes, claim_id: str) -> int:
    """Draw the ticket of a claim under the batch's `tie_key`; the lowest comes first, equal ones by claim id."""
    return siphash(key, claim_key(claim_id))


def share_ticket(key: bytes, claim_id: str, place: int) -> int:
    """Draw the ticket of one share point (0..weight-1) of a claim, for the lottery."""
    return siphash(key, claim_key(claim_id) + place.to_bytes(8, "little"))


def wheel_offset(seed: bytes, batch_id: str) -> Fraction:
    """Draw the one offset in [0, 1) by which the wheel of a batch is turned."""
    drawn = hashlib.sha256(b"alloc-wheel/1\0" + seed + b"\0" + batch_id.encode()).digest()[:8]
    return Fraction(int.from_bytes(drawn, "big"), 1 << 64)


def draw_secret(season_secret: bytes) -> bytes:
    """Derive what a season's draws come from, and what is revealed at its end.

    The season's own secret also names households in proofs. Were it told, anybody could try all household numbers and
    see whose line is whose; what is derived from it can be told.
    """
    return hashlib.sha256(b"alloc-draw/1\0" + season_secret).digest()


def source_of_season(told: bytes, pool_id: str) -> bytes:
    """Derive the 32-byte source of a pool's seed from the season's `draw_secret`, whose hash was published beforehand."""
    return hashlib.sha256(b"alloc-source/1\0" + told + b"\0" + pool_id.encode()).digest()


def source_of_witnesses(secrets: list[bytes]) -> bytes:
    """Derive the 32-byte source of a pool's seed from the revealed secrets (32 bytes each), in the order of their commitments."""
    assert len(secrets) >= 2
    assert all(len(secret) == 32 for secret in secrets)
    return hashlib.sha256(b"".join(secrets)).digest()


def seed_of(source: bytes, input_digest: str) -> bytes:
    """Derive a pool's 32-byte seed from its source and the digest (hex) of everything that was frozen before."""
    assert len(source) == 32
    return hashlib.sha256(b"alloc-seed/1\0" + source + b"\0" + bytes.fromhex(input_digest)).digest()


_State = tuple[int, int, int, int]


def _absorb(state: _State, word: int) -> _State:
    a, b, c, d = state
    a, b, c, d = _round(*_round(a, b, c, d ^ word))
    return a ^ word, b, c, d


def _round(a: int, b: int, c: int, d: int) -> _State:
    a = (a + b) & _MASK
    b = ((b << 13) | (b >> 51)) & _MASK ^ a
    a = ((a << 32) | (a >> 32)) & _MASK
    c = (c + d) & _MASK
    d = ((d << 16) | (d >> 48)) & _MASK ^ c
    a = (a + d) & _MASK
    d = ((d << 21) | (d >> 43)) & _MASK ^ a
    c = (c + b) & _MASK
    b = ((b << 17) | (b >> 47)) & _MASK ^ c
    c = ((c << 32) | (c >> 32)) & _MASK
    return a, b, c, d

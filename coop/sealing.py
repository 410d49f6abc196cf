"""Seal small secrets for a column, and open them again: AES-256-GCM under the installation's field key.

A sealed value is a version byte, a random nonce of 12 bytes, and the ciphertext with its tag. The purpose is bound to it,
so that a value copied into another kind of column does not open there.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_BYTES = 32
_NONCE_BYTES = 12


class NotSealedByUs(Exception):  # noqa: N818 - it names what happened
    """The value was changed, moved to another column, or sealed under another key."""


def seal(plain: bytes, field_key: bytes, *, purpose: str) -> bytes:
    """Encrypt and authenticate a secret; two seals of the same secret differ."""
    assert len(field_key) == KEY_BYTES, "the field key has 32 bytes"
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return VERSION + nonce + AESGCM(field_key).encrypt(nonce, plain, VERSION + purpose.encode())


def unseal(sealed: bytes, field_key: bytes, *, purpose: str) -> bytes:
    """Open what `seal` made for this purpose. Raises `NotSealedByUs`."""
    if sealed[:1] != VERSION:
        raise NotSealedByUs("unknown version of a sealed value")
    nonce, locked = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(field_key).decrypt(nonce, locked, VERSION + purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise NotSealedByUs("a sealed value does not open with this key") from error


def keyed_hash(plain: str, field_key: bytes, *, purpose: str) -> str:
    """Return a hash by which a value is known again, and that says nothing to who has not the field key."""
    assert len(field_key) == KEY_BYTES, "the field key has 32 bytes"
    return hmac.new(field_key, f"{purpose}\0{plain}".encode(), hashlib.sha256).hexdigest()

"""Canonical JSON (RFC 8785 without numbers beyond whole ones) and its digests: the same bytes on every machine."""

import hashlib
import json
from typing import Any

from coop.core.errors import RuleBroken

INTEGERS_BELOW = 2**53
"""JSON readers elsewhere keep integers exactly only below this."""

_quoted = json.JSONEncoder(ensure_ascii=False).encode  # made once: `dumps` with an option makes an encoder each time


def canonical(value: Any) -> bytes:
    """Write `value` as canonical JSON: keys sorted, no spaces, UTF-8, whole numbers only.

    Keys are ASCII, so that sorting by bytes, by code points and by UTF-16 units (RFC 8785, 3.2.3) are one and the same.
    Raises `RuleBroken` where the value has no canonical form: floats, integers from 2^53 on, other keys, lone surrogates.
    """
    _check(value, "")
    return written(value)


def written(value: Any) -> bytes:
    """Write as canonical JSON what is known to have that form, as every part of a checked value has."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def canonical_text(text: str) -> str:
    """Write one string as canonical JSON does, quotes included."""
    return _quoted(text)


def digest(value: Any) -> str:
    """Give the SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: Any, path: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        if not -INTEGERS_BELOW < value < INTEGERS_BELOW:
            raise RuleBroken("integer_too_large", "Whole numbers must lie below 2^53.", field=path)
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            _check(part, f"{path}[{place}]")
    elif isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise RuleBroken("key_not_ascii", "Keys of a record must be plain ASCII text.", field=path)
            _check(part, f"{path}.{key}" if path else key)
    else:
        raise RuleBroken("not_whole", "Records hold whole numbers and text only, no fractions.", field=path)


def _check_text(text: str, path: str) -> None:
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RuleBroken("bad_text", "Text must be valid Unicode, without lone surrogates.", field=path)

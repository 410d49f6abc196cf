"""What a cell of an imported file may hold: each reader takes the text and gives the value, or says what is allowed."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime

from coop.core.errors import RuleBroken

_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers in plain digits, from `least` (0 or more) to `most`."""
    longest = len(str(most))

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= longest and least <= int(text) <= most:
            return int(text)
        raise RuleBroken("bad_number", f"“{shown(text)}” is not allowed; give a whole number from {least} to {most}")

    return read


_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,39}")


def code(text: str) -> str:
    """Read a short code of a member, a product or an artisan."""
    if _CODE.fullmatch(text) is None:
        allowed = "give 1 to 40 letters, digits or . _ - /, beginning with a letter or digit"
        raise RuleBroken("bad_code", f"“{shown(text)}” is not allowed; {allowed}")
    return text


def name(text: str) -> str:
    """Read a name as people write it: trimmed, composed (NFC), without control characters or marks that turn the writing round."""
    tidy = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(tidy) <= 120 or any(
        unicodedata.category(mark) in {"Cc", "Cs"} or mark in _BIDI_OVERRIDES for mark in tidy
    ):
        raise RuleBroken("bad_name", f"“{shown(text)}” is not allowed; give 1 to 120 printable characters")
    return tidy


_LOCAL_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")


def local_second(text: str) -> datetime:
    """Read a local date and time to the second, without zone: 2010-12-01T08:26:00."""
    try:
        if _LOCAL_SECOND.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise RuleBroken(
        "bad_time", f"“{shown(text)}” is no date and time; write it as 2010-12-01T08:26:00, local and without zone"
    )


def shown(text: str) -> str:
    """Show a cell in a message: cut short, and nothing unprintable."""
    cut = "".join(mark if mark.isprintable() and mark not in _BIDI_OVERRIDES else "\ufffd" for mark in text[:40])
    return cut + "…" if len(text) > 40 else cut

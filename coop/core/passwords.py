"""Which passwords are refused: too short, too common, too regular, or made of what everybody knows about us."""

import re
from collections.abc import Iterable

from coop.core.errors import RuleBroken

SHORTEST = 12
LONGEST = 256
_OWN_PART = 8
"""How many characters a password must have besides a common word or the co-op's name."""

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_COLUMNS = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p")
_RUNS = tuple(row[::step] for row in (*_ROWS, *_COLUMNS) for step in (1, -1))
_LOOKS_LIKE = str.maketrans("@401!35$7", "aaoiiesst")


def refuse_weak(password: str, *, common: frozenset[str], known: Iterable[str]) -> None:
    """Raise RuleBroken for a password that others would try first; every character counts, none is special.

    `known` are words tied to the person and the co-op: its name, the mail address.
    """
    if len(password) < SHORTEST:
        raise _refused(
            "too_short", f"This has {len(password)} characters; please use {SHORTEST} or more, such as four words."
        )
    if len(password) > LONGEST:
        raise _refused("too_long", f"Please keep to {LONGEST} characters.")
    typed = password.casefold()
    for form in (typed, typed.translate(_LOOKS_LIKE)):
        if form in common or _is_regular(form):
            raise _refused(
                "too_common",
                "This is one of the passwords that are tried first; please use another, such as four words.",
            )
        bare = _bare(form)
        if (bare in common or _bare(typed).translate(_LOOKS_LIKE) in common) and len(form) - len(bare) < _OWN_PART:
            raise _refused(
                "too_common",
                "A common word with some marks around it is tried early; please use another, such as four words.",
            )
        if any(len(form) - len(word) < _OWN_PART for word in _spellings(known) if word in form):
            raise _refused("too_close", "Please use more than the co-op's name or your mail address.")


def _refused(code: str, sentence: str) -> RuleBroken:
    return RuleBroken(code, sentence, field="password")


def _bare(form: str) -> str:
    """Return the password without the digits and marks around it."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form)


def _is_regular(form: str) -> bool:
    """Whether it repeats something short, has hardly any different characters, or is a walk over the keyboard."""
    if len(set(form)) < 5 or re.fullmatch(r"(.+)\1+.{0,2}", form):
        return True
    walks, rest = 0, form
    while rest and walks <= 3:
        length = max((size for size in range(1, len(rest) + 1) if any(rest[:size] in run for run in _RUNS)), default=1)
        walks, rest = walks + 1, rest[length:]
    return walks <= 3


def _spellings(known: Iterable[str]) -> set[str]:
    """Return the words as they may stand in a password: whole, without spaces, and a mail address in its parts."""
    found = set()
    for words in known:
        folded = words.casefold()
        found |= {folded, re.sub(r"\W", "", folded), folded.partition("@")[0]}
    return {word for word in found if len(word) >= 4}

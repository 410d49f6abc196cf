"""The second factor: for which rights it is needed, when a code of an app counts, and how recovery codes are written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from coop.core import roles
from coop.core.roles import Viewer

STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1
"""A code counts from one step before its own to one step after it: for clocks that differ, and for slow hands."""

RECOVERY_CODES: Final = 10
RECOVERY_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32: without I, L, O and U, which are read as something else."""
RECOVERY_LENGTH: Final = 10
_MISREAD: Final = str.maketrans("ILO", "110", " -\u2010\u2011\u2013")


def step_at(seconds: int) -> int:
    """Return the number of the step in which an instant lies, given in seconds since 1970 (RFC 6238)."""
    return seconds // STEP_SECONDS


def accepted_step(is_code_of: Callable[[int], bool], *, now: int, used: int) -> int | None:
    """Return the step whose code was given, or None: within the drift of `now`, and later than the last one used."""
    allowed = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    return next((step for step in allowed if step > used and is_code_of(step)), None)


def next_step(*, now: int, used: int) -> int | None:
    """Return the step whose code would be taken now, or None until the next one begins."""
    step = max(now, used + 1)
    return step if step <= now + DRIFT_STEPS else None


def plain_code(typed: str) -> str:
    """Return a code as it is compared: capitals without blanks and hyphens, and letters that are misread as the digits they are."""
    return typed.upper().translate(_MISREAD)


def written_code(code: str) -> str:
    """Return a recovery code as people read it: in two halves."""
    half = len(code) // 2
    return f"{code[:half]}-{code[half:]}"


def rights_without_factor(viewer: Viewer, *, is_paid: bool) -> Viewer:
    """Return what a person may do before they have a second factor: nothing about others' money, rights or workshops' accounts.

    `is_paid`: the bank account of a workshop they speak for is known here.
    """
    withheld = {roles.TREASURER, roles.ADMIN} | ({roles.ARTISAN} if is_paid else set())
    if viewer.roles.isdisjoint(withheld):
        return viewer
    left = viewer.roles - withheld
    return replace(viewer, roles=left, artisan_ids=viewer.artisan_ids if roles.ARTISAN in left else frozenset())

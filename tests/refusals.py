"""What a command refuses, as tests compare it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coop.core.errors import RuleBroken


def refused(act: Callable[..., object], *values: object, **more: object) -> tuple[str, str]:
    """Return the code that refuses the act, and the field it stands at."""
    with pytest.raises(RuleBroken) as refusal:
        act(*values, **more)
    return refusal.value.code, refusal.value.field


def refused_code(act: Callable[..., object], *values: object, **more: object) -> str:
    """Return the code that refuses the act."""
    return refused(act, *values, **more)[0]

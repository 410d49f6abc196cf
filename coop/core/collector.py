"""Let the collector of cycles rest while rows are built by the ten thousand.

None of those rows is part of a cycle, and looking through them again and again was a fifth of a season's work.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for cycles after every 200,000 new objects only, for the length of a block or, as a decorator, of a call."""
    before = gc.get_threshold()
    gc.set_threshold(max(SELDOM, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)

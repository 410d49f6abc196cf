"""Acts that meet at the same instant, on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from coop.core.errors import RuleBroken


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Let acts meet at a barrier; return what each returned, or the code it was refused with."""
    barrier, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(n: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            answers[n] = act()
        except RuleBroken as broken:
            answers[n] = broken.code

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers

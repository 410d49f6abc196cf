"""Child processes that cannot outlive us: started through the tether, stopped by signals that grow firmer."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from coop import tether


def tethered(program: Sequence[str], *, on_death: signal.Signals, guise: str = "plain") -> list[str]:
    """Return the command line that runs `program` and has it signalled with `on_death` when the calling thread's process dies."""
    return [sys.executable, "-I", "-S", tether.__file__, str(int(on_death)), str(os.getpid()), guise, *program]


def start(
    program: Sequence[str],
    *,
    on_death: signal.Signals = signal.SIGTERM,
    guise: str = "plain",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: IO[bytes] | int | None = None,
    asked: bytes | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (so a Ctrl-C reaches only us); `asked` is given to it on standard input."""
    child = subprocess.Popen(
        tethered(program, on_death=on_death, guise=guise),
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL if asked is None else subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT if log is not None else None,
        start_new_session=True,
    )
    if asked is not None:
        assert child.stdin is not None
        child.stdin.write(asked)
        child.stdin.close()
    return child


def stop(children: Sequence[subprocess.Popen[bytes]], *steps: tuple[signal.Signals, float]) -> None:
    """Send each step's signal to all that still run and wait its seconds; whatever is left then, grandchildren too, is killed."""
    for number, seconds in steps:
        for child in children:
            if child.poll() is None:
                child.send_signal(number)
        until = time.monotonic() + seconds
        while any(child.poll() is None for child in children) and time.monotonic() < until:
            time.sleep(0.02)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # each child leads a session, so its group is its own
        child.wait()


def end_earlier(pid: int, program: str, number: signal.Signals, seconds: float) -> None:
    """End a process of an earlier life; `program` must be in its command line, lest its number be another's by now."""
    if _runs(pid, program):
        os.kill(pid, number)
    until = time.monotonic() + seconds
    while _runs(pid, program):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _runs(pid: int, program: str) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        return program.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        return program.encode() in listed.stdout

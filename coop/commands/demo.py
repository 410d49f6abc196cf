"""`coop demo`: one believable co-op, served with all its parts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import psycopg

from coop import supervisor
from coop.commands.house import run
from coop.config import Settings, default_home, libpq_url


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port to listen on; by default 8000 or the next free one."
)
def demo(host: str, port: int | None) -> None:
    """Serve Riverside Craft Co-op: forty households, nine makers, a season under way. Ctrl-C stops all of it.

    It lives in a data folder of its own, and is as you left it when you come back; remove the folder to begin anew.
    """
    home = Path(os.environ.get("COOP_HOME") or default_home(os.environ, "smallbatch-demo"))
    read = Settings.from_environment(os.environ | {"COOP_HOME": str(home)})
    read.check()
    with supervisor.stoppable():
        run(read, host, port, _ready, _prepare)


def _prepare(read: Settings) -> None:
    if _is_there(read):
        return
    from coop.clock import now  # noqa: PLC0415 - all services are read for the first start alone
    from coop.demo.story import seed  # noqa: PLC0415

    print("Writing the demo co-op; this is done once.", file=sys.stderr, flush=True)
    seed(read.database_url, field_key=read.field_key, at=now(), assume_role=read.assume_role)


def _is_there(read: Settings) -> bool:
    """Tell at once, so that a later start does not wait for what only the first one needs."""
    with psycopg.connect(libpq_url(read.database_url)) as connection:
        return connection.execute("SELECT 1 FROM policy WHERE name = 'demo' AND value = 'true'").fetchone() is not None


def _ready(read: Settings) -> list[str]:
    from coop.demo.people import DESKS, PASSWORD, address  # noqa: PLC0415

    lines = [f"Riverside Craft Co-op answers at {read.base_url}", "", f"Everybody's password: {PASSWORD}", ""]
    lines += [f"  {desk.role:<10} {address(desk.person):<34} {desk.person}: {desk.sees}" for desk in DESKS]
    lines += ["", "Treasurers, admins and makers take a second step; the demo shows its code on the page itself."]
    return [*lines, "", f"Its data, logs and letters are in {read.home}. Ctrl-C stops everything."]

"""Keeping the co-op safe: backup, restore."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from coop import clock, keeping, supervisor
from coop.books import service as books
from coop.commands.house import settings
from coop.commands.running import COMMAND_LINE, say
from coop.db import connect
from coop.embedded import at_hand
from coop.migrating import upgrade


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole database into FILE.

    The keys are not in it: without FIELD_KEY (outside production in secrets.json of the data folder) a restored co-op
    cannot read bank details. Keep both, apart from each other.
    """
    with supervisor.stoppable(exit_code=130), at_hand(settings()) as ready:
        say(dataclasses.asdict(keeping.backup(ready.owner_url, file, at=clock.now())))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database from FILE, bring it to the schema of this version, and ask every rule of the books; exit 1 if any is broken."""
    with supervisor.stoppable(exit_code=130), at_hand(settings()) as ready:
        manifest = keeping.restore(ready.owner_url, file)
        upgrade(ready.owner_url)
        rules = books.run_checks(connect(ready.database_url, assume_role=ready.assume_role), by=COMMAND_LINE)
    broken = [rule.id for rule in rules if not rule.ok]
    say(dataclasses.asdict(manifest) | {"rules": len(rules), "broken": broken})
    sys.exit(1 if broken else 0)

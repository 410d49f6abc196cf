"""Keeping the co-op safe: backup, restore."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from coop import clock, keeping
from coop.commands.house import settings
from coop.embedded import at_hand
from coop.migrating import upgrade


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole database into FILE.

    The keys are not in it: without FIELD_KEY (outside production in secrets.json of the data folder) a restored co-op
    cannot read bank details. Keep both, apart from each other.
    """
    with at_hand(settings()) as ready:
        print(json.dumps(dataclasses.asdict(keeping.backup(ready.owner_url, file, at=clock.now()))))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database from FILE and bring it to the schema of this version."""
    with at_hand(settings()) as ready:
        manifest = keeping.restore(ready.owner_url, file)
        upgrade(ready.owner_url)
        print(json.dumps(dataclasses.asdict(manifest)))

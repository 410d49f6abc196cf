"""`coop solve` and `coop verify`: the arithmetic of sharing out, for anybody; no database, no configuration."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import click

from coop.core.errors import RuleBroken
from coop.core.solve import solve_all
from coop.formats.proof_files import PUBLISHED, check_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--engine", type=click.Choice(["kernel", "reference"]), default="kernel", show_default=True)
def solve(file: Path, engine: Literal["kernel", "reference"]) -> None:
    """Answer the worked problems in FILE, each on a line; exit 2 if any is malformed."""
    with _opened(file) as content:
        text = content.read()
    well_formed = True
    for answer, good in solve_all(text, engine):
        _say(answer)
        well_formed = well_formed and good
    sys.exit(0 if well_formed else 2)


def _published(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command be given what the co-op published, to hold a proof against."""
    for name, meaning in reversed(PUBLISHED.items()):
        command = click.option(f"--{name}", default="", metavar="HEX", help=f"Hold it against {meaning}.")(command)
    return command


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_published
def verify(file: Path, **published: str) -> None:
    """Recompute the proof in FILE with the exact reference alone; exit 1 and name the first difference if any."""
    verdict = check_file(str(file), published)
    _say(verdict)
    sys.exit(0 if verdict["ok"] else 1)


def _say(line: dict[str, Any]) -> None:
    click.echo(json.dumps(line))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        with file.open("rb") as content:
            yield content
    except OSError as wrong:
        raise RuleBroken("unreadable_file", f"{file} cannot be read: {wrong.strerror}.", field="file") from wrong

"""`coop check` and `coop export`: whether the books keep their rules, and the files that show it to others."""

import dataclasses
import sys
from pathlib import Path

import click

from coop.books import service as books
from coop.clock import now
from coop.commands.running import COMMAND_LINE, running, say


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a rule.")
def check(*, as_json: bool) -> None:
    """Ask every rule of the books whether it holds; exit 1 if any is broken."""
    with running(migrate=True) as coop:
        results = books.run_checks(coop.db, by=COMMAND_LINE)
    for rule in results:
        if as_json:
            say({"id": rule.id, "title": rule.title, "ok": rule.ok, "count": rule.count, "rows": rule.rows})
        else:
            click.echo(f"{'ok    ' if rule.ok else 'BROKEN'} {rule.id:<4} {rule.title}")
            for row in rule.rows:
                click.echo("            " + ", ".join(f"{name} {value}" for name, value in row.items()))
    sys.exit(0 if all(rule.ok for rule in results) else 1)


@click.group()
def export() -> None:
    """Write a file for others: the ledger, the proof of a pool, or the program that checks proofs."""


@export.command()
@click.option("--format", "form", type=click.Choice(books.LEDGER_FORMS), default="beancount", show_default=True)
@click.argument("file", type=click.Path(path_type=Path))
def ledger(file: Path, form: str) -> None:
    """Write the whole ledger to FILE, for an accountant's own tools."""
    with running(migrate=True) as coop:
        written = books.export_ledger(coop.db, file, at=now(), form=form)
    say({"file": str(file), **dataclasses.asdict(written)})


@export.command()
@click.argument("pool")
@click.argument("file", type=click.Path(path_type=Path))
def proof(pool: str, file: Path) -> None:
    """Write the proof of POOL, as published, to FILE; anybody can check it with `coop verify`."""
    with running(migrate=True) as coop:
        digest = books.export_proof(coop.db, pool, file, field_key=coop.settings.field_key)
    say({"pool": pool, "file": str(file), "result_digest": digest})


@export.command()
@click.argument("file", type=click.Path(path_type=Path))
def verifier(file: Path) -> None:
    """Write to FILE the program that checks a proof: one Python file for strangers, which needs nothing but Python."""
    say({"file": str(file), "lines": books.export_verifier(file)})

"""`coop check` and `coop export`: whether the books keep their rules, and the files that show it to others."""

import sys

import click

from coop.books import service as books
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

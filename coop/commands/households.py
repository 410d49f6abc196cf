"""`coop merge` and `coop split`: what a season owes, when households become one or two."""

import click
from sqlalchemy import text

from coop.clock import now
from coop.commands.running import COMMAND_LINE, Running, running, say
from coop.core.errors import NotFound, RuleBroken
from coop.households import service as households


@click.command()
@click.argument("gone")
@click.argument("kept")
@click.option("--season", required=True, help="The name of the season whose balances move.")
def merge(gone: str, kept: str, season: str) -> None:
    """Add what household GONE is owed to what KEPT is owed; each by number in the files brought in, or by name."""
    with running() as coop:
        season_id, ids = _season(coop, season), {"kept": _household(coop, kept), "gone": _household(coop, gone)}
        moved = households.merge_households(coop.db, season_id, **ids, by=COMMAND_LINE, at=now())
    say({"season": season, "kept": kept, "gone": gone, "balances": moved})


@click.command()
@click.argument("staying")
@click.argument("leaving")
@click.option("--season", required=True, help="The name of the season whose balances are divided.")
def split(staying: str, leaving: str, season: str) -> None:
    """Give household LEAVING its part, by share points, of what STAYING is owed."""
    with running() as coop:
        season_id = _season(coop, season)
        ids = {"staying": _household(coop, staying), "leaving": _household(coop, leaving)}
        moved = households.split_household(coop.db, season_id, **ids, by=COMMAND_LINE, at=now())
    say({"season": season, "staying": staying, "leaving": leaving, "balances": moved})


def _season(coop: Running, name: str) -> int:
    with coop.db() as session:
        found = session.scalar(text("SELECT id FROM season WHERE name = :name"), {"name": name})
    if found is None:
        raise NotFound(f"There is no season called {name}.")
    return int(found)


def _household(coop: Running, named: str) -> int:
    with coop.db() as session:
        found = session.scalars(
            text("SELECT id FROM household WHERE reference = :named OR name = :named ORDER BY reference = :named DESC"),
            {"named": named},
        ).all()
    if not found:
        raise NotFound(f"There is no household {named}.")
    if len(found) > 1:
        raise RuleBroken("several_households", f"{len(found)} households are called {named}; name it by its number.")
    return int(found[0])

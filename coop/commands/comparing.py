"""`coop compare`: a whole season from files under one rule after another, without a database."""

import dataclasses
import hashlib
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from coop.commands.running import say
from coop.core.claims import MICRO, rule_named
from coop.core.fairness import four_decimals
from coop.core.season import zone_named
from coop.core.season_comparison import SeasonPool, SeasonUnderRule, compare_season, season_pools
from coop.formats.season_files import SeasonFiles, read_season

USUAL = ("cea/standing", "cea/webster", "proportional/largest_remainder", "priority", "lottery")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--rule", "rules", multiple=True, default=USUAL, show_default=True, help="May be said more than once.")
@click.option("--zone", default="Europe/London", show_default=True, help="Where the times in the files are local.")
def compare(folder: Path, rules: tuple[str, ...], zone: str) -> None:
    """Share out the season in DIR by each rule, and print what each member would have come to, one JSON object a rule."""
    zone_named(zone)
    named = [rule_named(rule) for rule in rules]
    files = read_season(folder, zone)
    began = time.monotonic()
    for under in compare_season(pools_of(files), len(files.members), named):
        say(_line(under) | {"seconds": f"{time.monotonic() - began:.1f}"})
        began = time.monotonic()


def pools_of(files: SeasonFiles) -> list[SeasonPool]:
    """Turn files into pools; draws come from the digest of the files, so that the same files give the same figures."""
    columns = [
        np.array(values, np.int64)
        for values in (
            files.line_cycles,
            files.line_products,
            files.line_members,
            files.line_pieces,
            [int(at.timestamp()) for at in files.line_times],
        )
    ]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    made = zip(files.yield_cycles, files.yield_products, files.yield_pieces, strict=True)
    yields = {
        (cycle, product): (f"{files.cycles[cycle]}-{files.products[product]}", pieces)
        for cycle, product, pieces in made
    }
    seeds = [hashlib.sha256(f"{files.digest}:{cycle}".encode()).digest() for cycle in files.cycles]
    return season_pools([column[order] for column in columns], yields, files.members, files.member_weights, seeds)


def _line(under: SeasonUnderRule) -> dict[str, Any]:
    line = dataclasses.asdict(under)
    for name in ("jain", "lowest", "tenth", "median"):
        line[name] = four_decimals(getattr(under, name))
    for name in ("most_short", "hundredth_short"):
        line[name] = f"{line[name] / MICRO:.2f}"
    return line

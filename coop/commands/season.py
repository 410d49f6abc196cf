"""`coop import`, `allocate` and `handover`: carry a season through, by the same commands as the pages."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from coop.asking import service as asking
from coop.clock import now
from coop.commands.running import COMMAND_LINE, Running, running, say, tell, wait_until
from coop.core.errors import NotFound, RuleBroken
from coop.core.season import zone_named
from coop.formats.csv_reading import FilesRefused
from coop.formats.season_files import read_season
from coop.intake import service as intake
from coop.pickups import service as pickups
from coop.proofs import service as proofs
from coop.publishing import service as publishing


class ClosedPool(NamedTuple):
    id: int
    name: str


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--season", help="What to call the season; by default like the folder.")
@click.option("--currency", default="GBP", show_default=True)
@click.option("--zone", default="Europe/London", show_default=True, help="Where the times in the files are local.")
@click.option("--dry-run", is_flag=True, help="Only read the files and say what they come to.")
def import_(folder: Path, season: str | None, currency: str, zone: str, *, dry_run: bool) -> None:
    """Bring in a season from members, products, orders and yields in DIR: whole, or not at all."""
    name = season or folder.resolve().name
    zone_named(zone)
    try:
        files = read_season(folder, zone)
    except FilesRefused as refused:
        for problem in refused.problems:
            tell(str(problem))
        raise
    if dry_run:
        say(dataclasses.asdict(intake.counts_of(files, name)))
        return
    tell(f"{len(files.line_pieces)} order lines read")
    with running(migrate=True) as coop:
        counts = intake.import_season(
            coop.db,
            files,
            name=name,
            currency=currency,
            zone=zone,
            by=COMMAND_LINE,
            field_key=coop.settings.field_key,
        )
    say(dataclasses.asdict(counts))


@click.command()
@click.argument("pool", required=False)
@click.option("--all", "every", is_flag=True, help="All closed pools, in the order of their cut-offs.")
@click.option("--rule", help="Such as cea/standing or cea/webster; only before a season's first sharing out.")
@click.option("--memory", type=click.Choice(["rounding", "season"]), help="What the standing remembers.")
@click.option(
    "--credit-cap", type=int, help="With --memory season: how far from the average, in pieces per share point, counts."
)
@click.option("--publish", is_flag=True, help="Let the outcome count.")
@click.option("--json", "_json", is_flag=True, help="One JSON object a pool; the only form there is.")
def allocate(
    pool: str | None,
    rule: str | None,
    memory: str | None,
    credit_cap: int | None,
    *,
    every: bool,
    publish: bool,
    _json: bool,
) -> None:
    """Share out POOL, or all that are closed, through the worker."""
    with running(worker=True) as coop:
        pools = _chosen(coop, pool, every=every)
        for line in allocated(coop, pools, rule=rule, memory=memory, credit_cap=credit_cap, publish=publish):
            say(line)


@click.command()
@click.argument("season")
def reveal(season: str) -> None:
    """Tell what the draws of SEASON came from, once it has ended and each of its pools is published."""
    with running() as coop:
        with coop.db() as session:
            season_id = session.scalar(text("SELECT id FROM season WHERE name = :name"), {"name": season})
        if season_id is None:
            raise NotFound(f"There is no season called {season}.")
        secret = proofs.reveal_season(coop.db, season_id, field_key=coop.settings.field_key, by=COMMAND_LINE, at=now())
        say({"season": season, "secret": secret})


@click.command()
@click.argument("pool", required=False)
@click.option("--all", "every", is_flag=True, help="All published pools.")
def handover(pool: str | None, *, every: bool) -> None:
    """Tick that everything awarded in POOL was picked up."""
    with running() as coop:
        for chosen in _chosen(coop, pool, every=every):
            ticked, _ = pickups.hand_over_pool(coop.db, chosen.id, by=COMMAND_LINE, at=now())
            say({"pool": chosen.name, **_handed(coop, chosen), **({} if ticked else {"unchanged": True})})


def closed_pools(coop: Running) -> list[ClosedPool]:
    """Return the pools that are closed, in the order of their cut-offs."""
    with coop.db() as session:
        rows = session.execute(text("SELECT id, name FROM pool WHERE closed_at IS NOT NULL ORDER BY closes_at, id"))
        return [ClosedPool(*row) for row in rows]


def _chosen(coop: Running, name: str | None, *, every: bool) -> list[ClosedPool]:
    if (name is None) is not every:
        raise click.UsageError("Name one POOL, or say --all.")
    found = [pool for pool in closed_pools(coop) if every or pool.name == name]
    if not found:
        raise NotFound("No pool is closed yet." if every else f"There is no closed pool called {name}.")
    return found


class _Asked(NamedTuple):
    """The run of a pool, and since when it was waited for."""

    pool: ClosedPool
    run_id: int
    began: datetime


def allocated(
    coop: Running,
    pools: Sequence[ClosedPool],
    *,
    rule: str | None = None,
    memory: str | None = None,
    credit_cap: int | None = None,
    publish: bool,
) -> Iterator[dict[str, Any]]:
    """Share out pools through the worker, in this order; gives a line for each as soon as it is through.

    The next one is asked for while the one before it is still being booked, unless the standing forbids that.
    """
    before: _Asked | None = None
    for pool in pools:
        began = now()
        ask = partial(asking.request_run, coop.db, pool.id, by=COMMAND_LINE, at=began, rule=rule, memory=memory)
        try:
            run_id = ask(credit_cap=credit_cap)
        except RuleBroken as refused:
            if before is None or refused.code != "earlier_pool":
                raise
            yield _through(coop, before)
            before, run_id = None, ask(credit_cap=credit_cap)
        if before:
            yield _through(coop, before)
        before = _Asked(pool, run_id, began)
        proposed = _beyond(coop, before, "requested", what=f"Sharing out {pool.name}")
        if publish and proposed.state == "proposed":
            publishing.publish(coop.db, run_id, by=COMMAND_LINE, at=now())
    if before:
        yield _through(coop, before)


def _through(coop: Running, asked: _Asked) -> dict[str, Any]:
    run = _beyond(coop, asked, "publishing", what=f"Publishing {asked.pool.name}")
    line = {"pool": asked.pool.name, "run": asked.run_id, "state": run.state}
    figures = run.figures or {}
    line |= {name: figures.get(name) for name in ("claims", "pieces", "short", "lowest_fill", "jain")}
    line |= {"input_digest": run.input_digest, "result_digest": run.result_digest, "seconds": figures.get("seconds")}
    return line | ({"unchanged": True} if run.before else {})


def _beyond(coop: Running, asked: _Asked, state: str, *, what: str) -> Row[Any]:
    """Wait until the worker has brought a run beyond a state, and return what it has come to. Raises `failed`."""
    found: list[Row[Any]] = []

    def reached(session: Session) -> bool:
        found[:] = session.execute(_RUN, {"run": asked.run_id, "began": asked.began}).all()
        return bool(found[0].state != state)

    wait_until(coop, reached, what=what)
    if found[0].state == "failed":
        raise RuleBroken("failed", found[0].failure or "The worker could not do it; its log says why.")
    return found[0]


_RUN = text("""
SELECT state, failure, figures, input_digest, result_digest, coalesce(published_at, proposed_at) < :began AS before
  FROM allocation_run WHERE id = :run
""")


def _handed(coop: Running, pool: ClosedPool) -> dict[str, int]:
    with coop.db() as session:
        row = session.execute(
            text(
                "SELECT count(DISTINCT l.line_id) AS lines, coalesce(sum(l.pieces), 0)::bigint AS pieces FROM hand_over_line l"
                " JOIN hand_over h ON h.id = l.hand_over_id JOIN household_order o ON o.id = h.order_id"
                " WHERE o.pool_id = :pool"
            ),
            {"pool": pool.id},
        ).one()
    return {"lines": row.lines, "pieces": row.pieces}

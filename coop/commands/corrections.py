"""`coop correct`: share out a batch anew whose yield was corrected after it was published."""

from typing import Any

import click
from sqlalchemy import text

from coop.clock import now
from coop.commands.running import COMMAND_LINE, Running, running, say, wait_until
from coop.core.errors import NotFound, RuleBroken
from coop.corrections import service as corrections
from coop.corrections.queries import correction_page


@click.command()
@click.argument("lot")
@click.option("--publish", is_flag=True, help="Let the correction count.")
def correct(lot: str, *, publish: bool) -> None:
    """Share out the batch with lot number LOT anew, by its latest yield, and say what changes."""
    with running(worker=True) as coop:
        asked = corrections.request_correction(coop.db, _offering(coop, lot), by=COMMAND_LINE, at=now())
        wait_until(coop, lambda _: _state(coop, asked) != "requested", what=f"Correcting {lot}")
        if publish and _state(coop, asked) == "proposed":
            corrections.publish(coop.db, asked, by=COMMAND_LINE, at=now())
        wait_until(coop, lambda _: _state(coop, asked) != "publishing", what=f"Publishing the correction of {lot}")
        say(_line(coop, asked))


def _offering(coop: Running, lot: str) -> int:
    with coop.db() as session:
        wanted = "SELECT f.id FROM offering f JOIN batch b ON b.id = f.batch_id WHERE b.lot_number = :lot"
        found = session.scalar(text(wanted), {"lot": lot})
    if found is None:
        raise NotFound(f"There is no batch {lot} in a pool.")
    return int(found)


def _state(coop: Running, correction_id: int) -> str:
    with coop.db() as session:
        page = correction_page(session, correction_id, at=now())
    if page.state == "failed":
        raise RuleBroken("failed", page.failure or "The worker could not do it; its log says why.")
    return page.state


def _line(coop: Running, correction_id: int) -> dict[str, Any]:
    with coop.db() as session:
        page = correction_page(session, correction_id, at=now())
    line = {"lot": page.lot_number, "pool": page.pool, "correction": page.id, "state": page.state}
    line |= {"units_before": page.units_before, "units": page.units, "lines_changed": len(page.changed)}
    return line | {"released_minor": sum(change.minor for change in page.lines)}

"""Carry a season through: import, allocate and publish, hand over, pay out; each against COPY on the same server."""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import text

from bench.longer import write_again
from bench.measure import WEEK, Figure, Plan, figure, peak_mib_of_family, seconds
from bench.yardstick import Yardstick
from coop import bell, supervisor
from coop.clock import now
from coop.commands.money import paid
from coop.commands.running import COMMAND_LINE, SECOND_PERSON, Running
from coop.commands.season import allocated, closed_pools
from coop.config import Settings, libpq_url
from coop.db import connect
from coop.embedded import Addresses, Services, with_addresses
from coop.formats.season_files import read_season
from coop.intake import service as intake
from coop.migrating import upgrade
from coop.pickups import service as pickups

TARGETS = {"import": 3.0, "allocate": 7.0, "handover": 4.0, "payout": 8.0}
THROUGH = date(2011, 6, 30)


def measure(plan: Plan) -> Iterator[Figure]:
    """Give a figure for each step, from paired runs on databases of their own; a single week is stretched to eight."""
    with tempfile.TemporaryDirectory(prefix="coop-bench-") as folder:
        if plan.folder == WEEK:
            write_again(WEEK, Path(folder), weeks_later=1, times=8)
            plan = dataclasses.replace(plan, folder=Path(folder))
        yield from _measured(plan)


def _measured(plan: Plan) -> Iterator[Figure]:
    pairs: dict[str, list[tuple[float, float]]] = {step: [] for step in TARGETS}
    peak = lines = 0
    for _ in range(plan.runs):
        with tempfile.TemporaryDirectory(prefix="coop-bench-") as home, at_home(Path(home)) as coop:
            yardstick = None
            for step, work in steps(coop, plan.folder):
                ours = seconds(work)
                yardstick = yardstick or Yardstick(libpq_url(coop.settings.owner_url))
                pairs[step].append((ours, yardstick.seconds(step)))
            with coop.db() as session:
                lines = session.scalar(text("SELECT count(*) FROM order_line")) or 0
            peak = max(peak, peak_mib_of_family())
    for step, target in TARGETS.items():
        yield figure(step, lines, pairs[step], yardstick="copy", target=target, peak_mib=peak)


@contextmanager
def at_home(home: Path, *, worker: bool = True) -> Iterator[Running]:
    """Run a co-op of its own in a folder, with a real worker or with none."""
    with Services(home, worker=worker) as services:
        given = {"COOP_HOME": str(home), "PATH": os.environ["PATH"]}
        found = Addresses(services.owner_url, services.app_url, services.redis_url)
        settings = with_addresses(Settings.from_environment(given), found)
        upgrade(settings.owner_url)
        with supervisor.running(settings, [supervisor.worker()] if worker else []):
            yield Running(settings, bell.wire(connect(settings.database_url), settings.redis_url))


def bring_in(coop: Running, folder: Path, name: str = "Season") -> None:
    """Read a season's files and import them."""
    intake.import_season(
        coop.db,
        read_season(folder, "Europe/London"),
        name=name,
        currency="GBP",
        zone="Europe/London",
        by=COMMAND_LINE,
        field_key=coop.settings.field_key,
    )


def share_out_all(coop: Running) -> None:
    """Allocate and publish every pool, through the worker."""
    for _ in allocated(coop, closed_pools(coop), publish=True):
        pass


def hand_over_all(coop: Running) -> None:
    """Tick everything awarded as picked up."""
    for pool in closed_pools(coop):
        pickups.hand_over_pool(coop.db, pool.id, by=COMMAND_LINE, at=now())


def steps(coop: Running, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give the steps of a season in their order, each with the work it is."""
    yield "import", lambda: bring_in(coop, folder)
    yield "allocate", lambda: share_out_all(coop)
    yield "handover", lambda: hand_over_all(coop)
    yield "payout", lambda: paid(coop, THROUGH, by=COMMAND_LINE, second=SECOND_PERSON, play=True)

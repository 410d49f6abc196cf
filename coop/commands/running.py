"""What commands on the running co-op share: its database at hand, a real worker beside it, and waiting for its jobs."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import bell, jobs, supervisor
from coop.commands.house import settings
from coop.config import Settings
from coop.core.errors import RuleBroken
from coop.db import Db, connect, raw
from coop.embedded import at_hand
from coop.migrating import upgrade

COMMAND_LINE = 0
"""The actor of what is done here; the audit calls it so."""

SECOND_PERSON = -1
"""Stands for the second person on co-ops whose money is not real: demo and imported seasons."""

_WORKER_SEEN_WITHIN = 15
_RING_AGAIN_EVERY = 2.0
_PATIENCE = 300.0
_STEPS = (
    jobs.COMPUTE_ALLOCATION,
    jobs.PUBLISH_ALLOCATION,
    jobs.COMPUTE_CORRECTION,
    jobs.PUBLISH_CORRECTION,
    jobs.COMPUTE_PAYOUTS,
)


@dataclass(frozen=True, slots=True)
class Running:
    """A co-op at hand: its settings and its database, whose requests ring the worker."""

    settings: Settings
    db: Db


@contextmanager
def running(*, worker: bool = False, migrate: bool = False) -> Iterator[Running]:
    """Bring the co-op to hand, with services of its own where none run; `worker` sees to a worker as well."""
    with ExitStack() as stack:
        stack.enter_context(supervisor.stoppable(exit_code=130))
        ready = stack.enter_context(at_hand(settings()))
        if migrate:
            upgrade(ready.owner_url)
        db = bell.wire(connect(ready.database_url, assume_role=ready.assume_role), ready.redis_url)
        if worker and not _a_worker_is_alive(db):
            stack.enter_context(supervisor.running(ready, [supervisor.worker()]))
        yield Running(ready, db)


def wait_until(coop: Running, reached: Callable[[Session], bool], *, what: str) -> None:
    """Wait for a worker to bring something about, ringing again now and then in case a bell was lost.

    What is looked at through the session is what is committed by then: it hears of jobs that are done.
    """
    until = time.monotonic() + _PATIENCE
    with coop.db() as listening:
        listening.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        listening.execute(text(f"LISTEN {jobs.DONE_CHANNEL}"))
        while not reached(listening):
            if time.monotonic() > until:
                raise RuleBroken("no_worker", f"{what} was asked for, but no worker has done it. Is one running?")
            if not list(raw(listening).notifies(timeout=_RING_AGAIN_EVERY, stop_after=1)):
                bell.ring(coop.settings.redis_url, jobs.due(coop.db, _STEPS))
        listening.execute(text("UNLISTEN *"))


def say(line: dict[str, Any]) -> None:
    """Print one JSON object on a line of standard output."""
    click.echo(json.dumps(line))


def tell(words: str) -> None:
    """Say on standard error how far it is."""
    print(words, file=sys.stderr, flush=True)


def _a_worker_is_alive(db: Db) -> bool:
    with db() as session:
        seen = session.scalar(
            text(
                "SELECT clock_timestamp() - beat_at < make_interval(secs => :most) FROM heartbeat WHERE name = 'worker'"
            ),
            {"most": _WORKER_SEEN_WITHIN},
        )
    return bool(seen)

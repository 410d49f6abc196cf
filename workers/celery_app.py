"""The worker. No setting gives exactly-once; these make deliveries plentiful, small and harmless.

celery -A workers.celery_app worker --concurrency 2 --without-gossip --without-mingle
"""

import logging
import os
from functools import cache
from typing import Any

from celery import Celery, Task
from celery.signals import after_setup_logger, task_postrun, worker_process_init

from coop import bell, db, failpoints
from coop.config import Settings
from coop.core.errors import RuleBroken
from coop.db import Db
from workers import hearing

ROOMS = (
    "allocation",
    "audit",
    "books",
    "corrections",
    "documents",
    "fairness",
    "notices",
    "payouts",
    "pools",
    "recipes",
    "seasons",
    "sweep",
)

VISIBILITY_TIMEOUT = 600
"""Longer than any task may run, so that the broker alone never hands out the same message twice at once."""

IDLE_IN_TRANSACTION = "60s"


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    read = Settings.from_environment(os.environ)
    read.check()
    if not (read.database_url and read.redis_url):
        raise RuleBroken("no_server", "A worker needs DATABASE_URL and REDIS_URL; `coop worker` finds or starts both.")
    return read


@cache
def database() -> Db:
    """Return this process's own connections; made on first use, so that a forked child never shares its parent's."""
    url = settings().database_url
    made = db.connect(url, assume_role=settings().assume_role, pool_size=2, idle_limit=IDLE_IN_TRANSACTION)
    return bell.wire(made, settings().redis_url)


def _broker() -> dict[str, Any]:
    return {"broker_url": settings().redis_url}


app = Celery("smallbatch", set_as_current=False)
app.add_defaults(_broker)
app.conf.update(
    include=[f"workers.{name}" for name in ROOMS],
    timezone="UTC",
    # what is said: JSON only, and no results, for they live in rows
    accept_content=["json"],
    result_accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    # a message is given back when its worker dies
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=240,
    task_soft_time_limit=180,
    worker_max_tasks_per_child=2000,
    worker_soft_shutdown_timeout=30,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    visibility_timeout=VISIBILITY_TIMEOUT,
    result_backend_transport_options={"visibility_timeout": VISIBILITY_TIMEOUT},
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    },
    worker_hijack_root_logger=False,
)


def _begin(**_: object) -> None:
    database.cache_clear()
    failpoints.arm(settings().fail_points, settings().home)


def _before_ack(task: Task, **_: object) -> None:
    failpoints.reach(f"{task.name}@before_ack")


def _hush(**_: object) -> None:
    """Leave one line a job to us: the sweep alone would write a hundred thousand a day otherwise. Failures are heard."""
    for name in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)


after_setup_logger.connect(_hush, weak=False)
worker_process_init.connect(_begin, weak=False)
task_postrun.connect(_before_ack, weak=False)
hearing.listen(lambda: (settings().redis_url, app.conf.task_default_queue))

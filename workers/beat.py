"""The beat rings for the sweep, and for nothing else: it knows that job by its name, so it needs no models and starts at once.

celery -A workers.beat beat
"""

import logging
import os
from datetime import timedelta
from typing import Final

from celery import Celery
from celery.signals import after_setup_logger

from coop.config import Settings

SWEEP: Final = "jobs.sweep"
SWEEP_EVERY: Final = timedelta(seconds=2)


def _hush(**_: object) -> None:
    logging.getLogger("celery.beat").addFilter(lambda record: "Sending due task" not in record.msg)


app = Celery("smallbatch-beat", set_as_current=False)
app.add_defaults(lambda: {"broker_url": Settings.from_environment(os.environ).redis_url})
app.conf.update(
    beat_schedule={"sweep": {"task": SWEEP, "schedule": SWEEP_EVERY, "options": {"expires": 10}}},
    beat_scheduler="celery.beat:Scheduler",  # keeps no file: which slots are done stands in the outbox
    timezone="UTC",
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)
after_setup_logger.connect(_hush, weak=False)

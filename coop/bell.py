"""The doorbell: wake workers, after the real commit, for what was requested in it.

A message carries the id of an outbox row and nothing else. A deaf broker costs delay only: the sweep rings again.
"""

import logging
from collections.abc import Iterable
from functools import cache

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from coop.db import Db

log = logging.getLogger(__name__)

MOST_RINGS = 200
"""After one commit; the sweep rings for the rest as they are worked off."""


def wire(db: Db, redis_url: str) -> Db:
    """Let sessions ring, once, for what they requested, after their real commit; a rollback forgets it."""

    def ring_after_commit(session: Session) -> None:
        if session.get_nested_transaction() is None and (rings := session.info.pop("rings", [])):
            ring(redis_url, rings[:MOST_RINGS])

    def forget(session: Session) -> None:
        if session.get_nested_transaction() is None:
            session.info.pop("rings", None)

    event.listen(db, "after_commit", ring_after_commit)
    event.listen(db, "after_rollback", forget)
    return db


def ring(redis_url: str, rings: Iterable[tuple[str, int]]) -> None:
    """Ring for (job, outbox id) of committed rows; where the broker does not hear the first, the others are not tried."""
    bell = _bell(redis_url)
    try:
        with bell.producer_pool.acquire(block=True) as producer:
            for job, outbox_id in rings:
                bell.send_task(job, args=[outbox_id], producer=producer)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("ring failed=%s", type(error).__name__)


@cache
def _bell(redis_url: str) -> Celery:
    app = Celery("smallbatch-bell", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.05, "interval_max": 0.05},
        broker_transport_options={"socket_connect_timeout": 0.1, "socket_timeout": 0.1},
    )
    return app

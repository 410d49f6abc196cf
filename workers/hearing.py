"""A worker that has gone deaf ends itself, and whoever watches over it, `coop serve` or the container's host, starts one that hears.

After its broker came back a worker may stay connected and hear nothing, for ever. It is deaf when messages lie in the
queue, it is idle, and it has taken none for a minute. One at work may be silent; so may one whose broker does not answer.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

import redis
from celery.signals import task_received, worker_ready
from celery.worker.state import active_requests, reserved_requests
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

DEAF_AFTER = 60.0
"""Seconds; the sweep is rung for every two."""

LOOK_EVERY = 5.0
TIME_TO_END = 45.0
"""Seconds until a worker that was asked to end, and does not, is ended: longer than its soft shutdown."""


class Hearing:
    """For how long a worker has taken no message though it could have; time in which it was frozen does not count."""

    def __init__(self) -> None:
        self.silence = 0.0

    def heard(self, **_: object) -> None:
        """Begin the silence anew."""
        self.silence = 0.0

    def look(self, *, waiting: int, is_idle: bool) -> bool:
        """Say whether the worker is deaf, at one of the looks every few seconds; 0 wait where the broker does not answer."""
        self.silence = self.silence + LOOK_EVERY if waiting and is_idle else 0.0
        return self.silence > DEAF_AFTER


def listen(queue: Callable[[], tuple[str, str]]) -> None:
    """Watch the hearing of this worker from when it is ready; `queue` gives the broker's address and the queue's name."""
    hearing = Hearing()

    def watch() -> None:
        is_deaf = False
        while not is_deaf:
            time.sleep(LOOK_EVERY)
            is_idle = not (active_requests or reserved_requests)
            is_deaf = hearing.look(waiting=_waiting(*queue()), is_idle=is_idle)
        log.error("deaf after=%.0f messages wait and none is heard, so this worker ends", hearing.silence)
        os.kill(os.getpid(), signal.SIGQUIT)
        time.sleep(TIME_TO_END)
        os._exit(1)

    def begin(**_: object) -> None:
        threading.Thread(target=watch, daemon=True).start()

    task_received.connect(hearing.heard, weak=False)
    worker_ready.connect(begin, weak=False)


def _waiting(broker_url: str, queue: str) -> int:
    try:
        with redis.Redis.from_url(broker_url, socket_timeout=2, socket_connect_timeout=2) as broker:
            return int(broker.llen(queue))
    except RedisError:
        return 0

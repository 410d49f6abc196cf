"""What becomes of a job that did not succeed: try again and when, or leave it to a person."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from coop.core.errors import RuleBroken
from coop.jobs import Fenced, Lease, NotYet
from coop.ports.mail import MailServerAway

MOST_ATTEMPTS = 10
MOST_SURPRISES = 3
MOST_LOST = 2
LONGEST_WAIT = 600.0
MAIL_KEPT = timedelta(days=3)
SOON = timedelta(seconds=2)
DISK_FULL = "53100"
DISK_PAUSE = 10.0
_PASSING = ("40001", "40P01", "08", "57P0", "25P03", "53300", "55P03")
"""SQLSTATEs, or their beginnings, of what goes away by itself: conflicts, lost connections, a restart, a lock not had."""

Chance = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait` None means dead; `pause` stops the whole worker for so many seconds first; `sentence` is for people."""

    why: str
    wait: timedelta | None
    spend_attempt: bool = True
    pause: float = 0.0
    is_surprise: bool = False
    sentence: str = "The database or the broker was away for too long."


def judge(error: BaseException, lease: Lease, *, chance: Chance = random.uniform) -> Verdict | None:
    """Say what to do about a failed attempt; None where the job is no longer ours to touch, or the worker is being stopped."""
    if isinstance(error, Fenced) or not isinstance(error, Exception):
        return None
    if isinstance(error, RuleBroken):
        return Verdict(f"{error.code}: {error.sentence}", None, sentence=error.sentence)
    if isinstance(error, MailServerAway):
        waited = lease.age.total_seconds()
        longest = min(LONGEST_WAIT, max(4.0, waited))
        wait = None if lease.age > MAIL_KEPT else timedelta(seconds=chance(2.0, longest))
        return Verdict("mail_server_away: the mail server did not take it", wait, spend_attempt=False)
    if isinstance(error, NotYet):
        return Verdict(f"not_yet: {error}", SOON, spend_attempt=False)
    state = sqlstate(error)
    if state == DISK_FULL:
        why = "disk_full: the database has no space left"
        return Verdict(why, timedelta(0), spend_attempt=False, pause=DISK_PAUSE)
    if isinstance(error, BrokerError | RedisError | PoolTimeout) or (state is not None and state.startswith(_PASSING)):
        return _again(f"passing: {type(error).__name__} {state or ''}".rstrip(), lease, MOST_ATTEMPTS, chance)
    again = _again(f"unforeseen: {type(error).__name__}, reference {lease.reference}", lease, MOST_SURPRISES, chance)
    sentence = f"Something went wrong that we did not foresee. Its reference is {lease.reference}."
    return Verdict(again.why, again.wait, is_surprise=True, sentence=sentence)


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database error, `08006` for a connection that failed without one, None for any other error."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return None
    lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return cause.sqlstate or ("08006" if lost else "")


def _again(why: str, lease: Lease, most: int, chance: Chance) -> Verdict:
    """Wait a random part of a time that doubles, so that jobs which failed together do not come back together."""
    if lease.attempts >= most:
        return Verdict(why, None)
    longest = min(LONGEST_WAIT, 2.0 * 2 ** (lease.attempts - 1))
    return Verdict(why, timedelta(seconds=chance(0.0, longest)))

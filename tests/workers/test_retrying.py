"""What becomes of a failed attempt, kind by kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy.exc import DBAPIError

from coop.core.errors import RuleBroken
from coop.jobs import Fenced, Lease, NotYet
from coop.ports.mail import MailServerAway
from workers.retrying import judge


def a_lease(attempts: int = 1, age: timedelta = timedelta(0)) -> Lease:
    return Lease(17, "audit.seal", 1, 3, attempts, 0, age, datetime(2026, 11, 24, tzinfo=UTC))


def highest(_: float, high: float) -> float:
    return high


def database_error(state: str | None) -> DBAPIError:
    cause = psycopg.errors.lookup(state)() if state else psycopg.OperationalError("connection refused")
    return DBAPIError("SELECT 1", {}, cause)


PASSING = [
    database_error("40001"),
    database_error("40P01"),
    database_error("08006"),
    database_error("57P01"),
    database_error("57P03"),
    database_error(None),
    psycopg.errors.SerializationFailure(),
    RedisAway(),
    BrokerError(),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_passes_is_tried_ten_times_with_waits_that_double_up_to_ten_minutes(error: Exception) -> None:
    waits = [judge(error, a_lease(attempts), chance=highest).wait for attempts in range(1, 11)]
    assert waits[:9] == [timedelta(seconds=2**n) for n in range(1, 10)]
    assert waits[9] is None


def test_the_wait_is_a_random_part_of_the_longest_one() -> None:
    assert judge(database_error("40001"), a_lease(4), chance=lambda low, high: (low + high) / 2).wait == timedelta(
        seconds=8
    )


def test_a_refusal_is_final_and_keeps_its_code_and_sentence() -> None:
    verdict = judge(RuleBroken("too_late", "The pool is closed."), a_lease())
    assert (verdict.wait, verdict.why, verdict.sentence) == (
        None,
        "too_late: The pool is closed.",
        "The pool is closed.",
    )


def test_what_nobody_foresaw_is_tried_three_times_and_goes_into_the_log() -> None:
    verdicts = [judge(ZeroDivisionError("Ana's account"), a_lease(attempts)) for attempts in (1, 2, 3)]
    assert [verdict.wait is None for verdict in verdicts] == [False, False, True]
    assert all(verdict.is_surprise for verdict in verdicts)
    assert "17.3" in verdicts[2].sentence
    assert "Ana" not in verdicts[2].why + verdicts[2].sentence


def test_a_full_disk_pauses_the_worker_and_spends_no_attempt() -> None:
    verdict = judge(database_error("53100"), a_lease(9))
    assert verdict.wait == timedelta(0)
    assert not verdict.spend_attempt
    assert verdict.pause > 0


def test_a_mail_server_away_spends_no_attempt_and_is_given_up_after_three_days() -> None:
    hour, days = a_lease(1, timedelta(hours=1)), a_lease(1, timedelta(days=3, seconds=1))
    assert judge(MailServerAway(), hour, chance=highest).wait == timedelta(minutes=10)
    assert not judge(MailServerAway(), hour).spend_attempt
    assert judge(MailServerAway(), days).wait is None


def test_what_has_to_wait_for_something_else_spends_no_attempt() -> None:
    verdict = judge(NotYet("an earlier pool is not booked yet"), a_lease(9))
    assert (verdict.wait, verdict.spend_attempt) == (timedelta(seconds=2), False)


@pytest.mark.parametrize("error", [Fenced(), SystemExit(), KeyboardInterrupt()])
def test_a_job_that_is_no_longer_ours_is_left_as_it_is(error: BaseException) -> None:
    assert judge(error, a_lease()) is None

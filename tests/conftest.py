"""A private PostgreSQL and Valkey for the whole run, and databases made from one migrated template."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from coop.config import Settings, libpq_url
from coop.embedded import Services
from tests.builders import FIELD_KEY
from tests.crew import Crew, PostOffice, hired, until

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the long form: whole seasons and many more examples")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """PostgreSQL and Valkey of this test process alone; quick, not durable."""
    with (
        tempfile.TemporaryDirectory(prefix="coop-tests-", dir=_quick_folder()) as home,
        Services(Path(home), durable=False) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A folder for a co-op with services of its own, shared by the tests of one module."""
    with tempfile.TemporaryDirectory(prefix="coop-tests-", dir=_quick_folder()) as folder:
        yield Path(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder for a co-op with services of its own."""
    with tempfile.TemporaryDirectory(prefix="coop-tests-", dir=_quick_folder()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def template(services: Services) -> str:
    """The name of the migrated database that the others are copies of; nobody stays connected to it."""
    from coop.migrating import upgrade

    upgrade(services.owner_url)
    return "coop"


@dataclasses.dataclass(frozen=True)
class Database:
    """One database of one test: as its owner, and as the app, which may do only what the migrations grant."""

    name: str
    owner_url: str
    app_url: str


@pytest.fixture
def database(services: Services, template: str) -> Iterator[Database]:
    """A fresh copy of the template, for tests with real commits, several connections or several processes."""
    made = _copy(services, template)
    yield made
    _drop(services, made)


@pytest.fixture(scope="module")
def module_database(services: Services, template: str) -> Iterator[Database]:
    """A fresh copy of the template for all tests of a module, which leave it as they found it."""
    made = _copy(services, template)
    yield made
    _drop(services, made)


@pytest.fixture
def fresh_db(database: Database) -> Iterator[sessionmaker[Session]]:
    """The app's sessions on a fresh database: commits are real, threads get connections of their own."""
    with _sessions(database) as maker:
        yield maker


@pytest.fixture
def another_db(services: Services, template: str) -> Callable[[], AbstractContextManager[sessionmaker[Session]]]:
    """What makes a fresh database for the time of a `with`, for tests that need one for each of their examples."""

    @contextmanager
    def made() -> Iterator[sessionmaker[Session]]:
        database = _copy(services, template)
        with _sessions(database) as maker:
            yield maker
        _drop(services, database)

    return made


@contextmanager
def _sessions(database: Database) -> Iterator[sessionmaker[Session]]:
    engine = create_engine(database.app_url, connect_args={"options": "-c timezone=UTC"}, pool_size=50)
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture(scope="session")
def seeded(services: Services, template: str) -> Iterator[str]:
    """The name of a database with the demo co-op as of now; nobody stays connected to it."""
    from coop.clock import now
    from coop.demo.story import seed

    made = _copy(services, template)
    seed(made.app_url, field_key=FIELD_KEY, at=now())
    yield made.name
    _drop(services, made)


@pytest.fixture
def riverside(services: Services, seeded: str) -> Iterator[Database]:
    """The demo co-op on a database of the test's own."""
    made = _copy(services, seeded)
    yield made
    _drop(services, made)


@pytest.fixture
def settings(database: Database, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of an installation that lives on a fresh database, an empty broker and an empty home."""
    words = {
        "COOP_HOME": str(tmp_path / "home"),
        "DATABASE_URL": database.app_url,
        "DATABASE_OWNER_URL": database.owner_url,
    }
    return Settings.from_environment(words | {"REDIS_URL": redis_url})


@pytest.fixture
def riverside_crew(riverside: Database, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Who starts real workers on the demo co-op; its letters go into a folder."""
    words = {"COOP_HOME": str(tmp_path / "home"), "DATABASE_URL": riverside.app_url, "REDIS_URL": redis_url}
    with hired(dataclasses.replace(Settings.from_environment(words), field_key=FIELD_KEY), tmp_path) as crew:
        yield crew


@pytest.fixture
def redis_url(services: Services) -> str:
    """The address of the broker, emptied for this test."""
    with redis.Redis.from_url(services.redis_url) as broker:
        broker.flushall()
    return services.redis_url


@pytest.fixture(scope="session")
def _shared(services: Services, template: str) -> Iterator[Database]:
    made = _copy(services, template)
    yield made
    _drop(services, made)


@pytest.fixture(scope="session")
def _shared_engine(_shared: Database):
    engine = create_engine(_shared.app_url, connect_args={"options": "-c timezone=UTC"})
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _shared_sessions() -> sessionmaker[Session]:
    maker = sessionmaker(join_transaction_mode="create_savepoint", expire_on_commit=False)
    event.listen(maker, "before_commit", _ask_deferred_checks)
    return maker


@pytest.fixture
def db(_shared_engine, _shared_sessions: sessionmaker[Session]) -> Iterator[sessionmaker[Session]]:
    """The app's sessions inside one transaction that is undone after the test: each commit releases a savepoint.

    Checks that the database defers to the commit are asked for at each such commit, as they would be at a real one.
    It is one and the same maker in each test, so that an application that has it can serve them all.
    """
    with _shared_engine.connect() as connection, connection.begin() as around:
        _shared_sessions.configure(bind=connection)
        yield _shared_sessions
        around.rollback()


def _ask_deferred_checks(session: Session) -> None:
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def _quick_folder() -> str | None:
    """Memory where there is enough: a database copy is 600 files, which takes some disks a second and memory 30 ms."""
    memory = Path("/dev/shm")
    return (
        str(memory)
        if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
        else None
    )


def _copy(services: Services, template: str) -> Database:
    name = f"copy_{next(_numbers)}"
    with psycopg.connect(libpq_url(services.owner_url), dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    urls = (
        make_url(url).set(database=name).render_as_string(hide_password=False)
        for url in (services.owner_url, services.app_url)
    )
    return Database(name, *urls)


def _drop(services: Services, database: Database) -> None:
    with psycopg.connect(libpq_url(services.owner_url), dbname="postgres", autocommit=True) as connection:
        still_there = (
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database.name}' AND usename <> current_user"
        )
        until(lambda: connection.execute(still_there).fetchone() == (0,), "killed workers have left the database")
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """An open mail server."""
    office = PostOffice()
    office.open()
    yield office
    office.shut()


@pytest.fixture
def crew(settings: Settings, post_office: PostOffice, tmp_path: Path) -> Iterator[Crew]:
    """Who starts real workers on a fresh database, an empty broker and the mail server."""
    with hired(dataclasses.replace(settings, smtp_url=post_office.url, field_key=FIELD_KEY), tmp_path) as crew:
        yield crew

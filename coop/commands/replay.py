"""`coop replay`: play money scenarios through the co-op's own commands, in scratch databases that are dropped again."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import psycopg
from psycopg import sql
from sqlalchemy import make_url

from coop.clock import now
from coop.commands.house import settings
from coop.commands.running import say, tell
from coop.config import libpq_url
from coop.core.errors import RuleBroken
from coop.core.money import number_style, parse_amount, split
from coop.db import Db, connect
from coop.embedded import Services
from coop.migrating import upgrade
from coop.replay.player import play
from coop.replay.scenario import case_of, read_cases


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--splits", is_flag=True, help="Play the splits of FILE instead: a total among weights.")
@click.option("--amounts", is_flag=True, help="Play the typed amounts of FILE instead.")
@click.option("--case", "wanted", multiple=True, metavar="ID", help="Only this case; may be given more than once.")
def replay(file: Path, wanted: tuple[str, ...], *, splits: bool, amounts: bool) -> None:
    """Play the money scenarios in FILE, each on a line; exit 1 if any differs from what it expects or breaks a rule of the books."""
    written = read_cases(file)
    if splits or amounts:
        lines = [_split(n, case) for n, case in enumerate(written.get("split_cases", ()), 1)] if splits else []
        lines += [_amount(n, case) for n, case in enumerate(written.get("parse_cases", ()), 1)] if amounts else []
        for line in lines:
            say(line)
        sys.exit(0 if all(line["matches"] is not False for line in lines) else 1)
    cases = [case_of(case) for case in written.get("cases", ()) if not wanted or case.get("id") in wanted]
    good = True
    with _scratch() as (make, field_key):
        for number, case in enumerate(cases, 1):
            tell(f"{number} of {len(cases)}: {case.id}")
            with make() as db:
                line = play(db, case, at=now(), field_key=field_key)
            say(line)
            good = good and line["matches"] is not False and line["invariants"] == "clean"
    sys.exit(0 if good else 1)


@contextmanager
def _scratch() -> Iterator[tuple[Any, bytes]]:
    """Yield what makes a fresh database, beside the co-op's own where a server is given, else on one of its own for the time."""
    told = settings()
    with tempfile.TemporaryDirectory(prefix="coop-replay-") as home:
        if told.database_url:
            yield from _made_on(told.owner_url, told.database_url, assume_role=told.assume_role)
        else:
            with Services(Path(home), valkey=False, durable=False) as services:
                yield from _made_on(services.owner_url, services.app_url, assume_role=False)


def _made_on(owner_url: str, app_url: str, *, assume_role: bool) -> Iterator[tuple[Any, bytes]]:
    template = f"coop_replay_{uuid4().hex[:12]}"
    with _database(owner_url, template):
        upgrade(_at(owner_url, template))

        @contextmanager
        def make() -> Iterator[Db]:
            name = f"{template}_case"
            with _database(owner_url, name, template=template):
                db = connect(_at(app_url, name), assume_role=assume_role)
                try:
                    yield db
                finally:
                    db.kw["bind"].dispose()

        yield make, bytes(range(32))


@contextmanager
def _database(owner_url: str, name: str, *, template: str = "template0") -> Iterator[None]:
    """Keep a database for the time. Raises `no_scratch` where the log-in may make none."""
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        try:
            connection.execute(made)
        except psycopg.errors.InsufficientPrivilege:
            said = "The log-in of DATABASE_OWNER_URL may make no databases, so nothing can be tried beside the co-op's own."
            raise RuleBroken("no_scratch", said) from None
    try:
        yield
    finally:
        with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _at(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _split(number: int, case: dict[str, Any]) -> dict[str, Any]:
    try:
        got: Any = split(case["total"], case["weights"])
    except RuleBroken as broken:
        got = f"refused:{broken.code}"
    return _line(case, number, got)


def _amount(number: int, case: dict[str, Any]) -> dict[str, Any]:
    try:
        got: Any = parse_amount(case["text"], case["minor_exponent"], number_style(case["locale"]))
    except RuleBroken as broken:
        got = broken.code
    return _line(case, number, got)


def _line(case: dict[str, Any], number: int, got: Any) -> dict[str, Any]:
    matches = got == case["expected"] if "expected" in case else None
    return {"id": case.get("id", number), **case, "got": got, "matches": matches}

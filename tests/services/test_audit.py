"""The record of acts is append-only, sealed link by link, and shows tampering."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from coop.audit import service as audit


def acts(db, *names: str) -> None:
    for name in names:
        with db.begin() as session:
            audit.record(session, name, by=3, subject=("batch", 12), detail={"pieces": 22})


def links(db) -> list:
    with db() as session:
        return list(session.execute(text("SELECT id, previous_hash, hash, covered::text FROM seal ORDER BY id")))


def broken(db) -> list[int]:
    with db() as session:
        return audit.broken_seals(session)


def tamper(database, statement: str) -> None:
    """Do what only the owner of the database could, past its own guards."""
    engine = create_engine(database.owner_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_record DISABLE TRIGGER ALL"))
        connection.execute(text("ALTER TABLE seal DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
    engine.dispose()


def test_each_link_follows_the_one_before_and_nothing_is_sealed_twice(fresh_db) -> None:
    acts(fresh_db, "report_yield", "close_pool")
    assert audit.seal(fresh_db) == 2
    assert audit.seal(fresh_db) == 0
    acts(fresh_db, "publish_allocation")
    assert audit.seal(fresh_db) == 1
    first, second = links(fresh_db)
    assert bytes(first.previous_hash) == bytes(32)
    assert second.previous_hash == first.hash
    assert broken(fresh_db) == []


def test_an_act_that_commits_late_is_sealed_by_a_later_link(fresh_db) -> None:
    with fresh_db.begin() as late:
        audit.record(late, "import_season", by=0, subject=("season", 1))
        late.flush()
        acts(fresh_db, "close_pool")
        assert audit.seal(fresh_db) == 1
    assert audit.seal(fresh_db) == 1
    assert broken(fresh_db) == []


def test_sealing_eight_times_at_once_makes_one_chain(fresh_db) -> None:
    acts(fresh_db, *["close_pool"] * 5)
    with ThreadPoolExecutor(8) as eight:
        assert sum(eight.map(lambda _: audit.seal(fresh_db), range(8))) == 5
    assert broken(fresh_db) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET detail = '{\"pieces\": 21}' WHERE act = 'report_yield'",
        "UPDATE audit_record SET actor_id = 4 WHERE act = 'report_yield'",
        "UPDATE audit_record SET at = at + interval '1 microsecond' WHERE act = 'report_yield'",
        "DELETE FROM audit_record WHERE act = 'report_yield'",
        "UPDATE seal SET hash = decode(repeat('00', 32), 'hex') WHERE id = (SELECT min(id) FROM seal)",
        "DELETE FROM seal WHERE id = (SELECT min(id) FROM seal)",
    ],
)
def test_a_record_changed_by_the_owner_of_the_database_shows(fresh_db, database, statement: str) -> None:
    for act in ("report_yield", "close_pool"):
        acts(fresh_db, act)
        audit.seal(fresh_db)
    assert broken(fresh_db) == []
    tamper(database, statement)
    assert broken(fresh_db) != []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_record SET actor_id = 4", "DELETE FROM audit_record", "DELETE FROM seal"]
)
def test_the_app_may_not_change_what_happened(fresh_db, statement: str) -> None:
    acts(fresh_db, "report_yield")
    with pytest.raises(DBAPIError) as refused, fresh_db.begin() as session:
        session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)

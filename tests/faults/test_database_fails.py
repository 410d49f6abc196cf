"""The database lets a session fall in the middle of its work, or the answer to a commit is lost on the way."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import NullPool

from coop.orders import service as orders
from coop.pools import service as pools
from coop.wishes.service import Wish
from tests.builders import NOW, a_household, a_pool, a_season, an_offering
from tests.crew import until


class LossyWire:
    """Stands between a client and PostgreSQL; hands on the first COMMIT once it is told to, and then hangs up instead of answering."""

    def __init__(self, folder: Path, server: str) -> None:
        self.server, self.armed, self.lost = server, False, 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def hang_up(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.server)
                threading.Thread(target=self._carry, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            while said := client.recv(65_536):
                if self.armed and b"COMMIT\0" in said:
                    self.armed, self.lost = False, self.lost + 1
                    client.shutdown(socket.SHUT_RDWR)  # what comes back finds nobody
                server.sendall(said)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(65_536):
                client.sendall(said)


@pytest.fixture
def wire(database, tmp_path) -> Iterator[LossyWire]:
    """A wire to the test's database that can lose an answer."""
    folder = Path(str(make_url(database.app_url).query["host"]))
    made = LossyWire(tmp_path, str(folder / ".s.PGSQL.5432"))
    yield made
    made.hang_up()


def test_an_order_whose_answer_was_lost_is_placed_once_when_it_is_sent_again(
    database, fresh_db, wire, tmp_path
) -> None:
    """Fault matrix F12: nobody knows whether it was placed, so the same form is sent again."""
    with fresh_db.begin() as session:
        ana = a_household(session, "Ana", credit_minor=10_000)
        pool = a_pool(session, a_season(session))
        jam = an_offering(session, pool, price_minor=520)
    pools.open_pool(fresh_db, pool, by=0, at=NOW)
    through = make_url(database.app_url).update_query_dict({"host": str(tmp_path)})
    engine = create_engine(through, poolclass=NullPool, connect_args={"options": "-c timezone=UTC"})
    lossy = sessionmaker(engine, expire_on_commit=False)

    def place(db) -> int:
        return orders.place_order(db, pool, [Wish(jam, 3, 3, 520)], household_id=ana, by=ana, at=NOW, key="tab")

    wire.armed = True
    with pytest.raises(DBAPIError):
        place(lossy)
    assert wire.lost == 1
    count = text("SELECT (SELECT count(*) FROM household_order), (SELECT count(*) FROM entry WHERE kind = 'order')")

    def placed() -> tuple[int, int]:
        with fresh_db() as session:
            return tuple(session.execute(count).one())

    until(lambda: placed() == (1, 1), "what was committed is there, though nobody was told")
    first = place(lossy)
    assert (place(fresh_db), placed()) == (first, (1, 1))


def test_a_session_that_the_database_ends_in_the_middle_of_the_work_is_begun_again(town) -> None:
    """F13: the awards are being written when their backend is terminated."""
    run = town.request(town.close_a_pool())
    owner = create_engine(town.crew.settings.owner_url)
    with owner.begin() as database:
        database.execute(text(_SLOW))
    town.crew.worker(with_beat=True)
    ended = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )

    def terminate() -> bool:
        with town.db() as session:  # a role may end sessions of its own
            return session.execute(ended).scalar_one() > 0

    until(terminate, "the awards were being written")
    with owner.connect() as database:
        assert (
            database.execute(text("SELECT state FROM allocation_run WHERE id = :run"), {"run": run}).scalar_one()
            == "requested"
        )
    owner.dispose()
    town.await_state("proposed")
    town.publish()
    town.check_history()


_SLOW = """
CREATE SEQUENCE once;
GRANT USAGE ON SEQUENCE once TO PUBLIC;
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
 $$ BEGIN IF nextval('once') = 1 THEN PERFORM pg_sleep(20); END IF; RETURN NULL; END $$;
CREATE TRIGGER slow BEFORE INSERT ON award FOR EACH STATEMENT EXECUTE FUNCTION slow();
"""

"""How pages read: one transaction for all that a request looks at."""

import pytest
from flask import Flask
from sqlalchemy import event, text

from coop.app import create_app
from coop.web.guards import anyone
from coop.web.reading import reading


def begun_by(db, act) -> int:
    """Count the reading transactions that something begins."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_more) -> None:
        seen.append(statement)

    engine = db.kw["bind"].engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sum(statement == "SET TRANSACTION READ ONLY" for statement in seen)


def test_a_page_is_read_in_one_transaction_from_its_guard_to_its_end(db, client_as):
    ana = client_as("member")
    ana.get("/")  # the co-op's customs are kept from here on
    assert begun_by(db, lambda: ana.get("/")) == 1
    assert begun_by(db, lambda: ana.get("/")) == 1


@pytest.mark.own_app
def test_a_page_whose_query_failed_still_says_what_happened(app: Flask, db, client_as):
    @anyone
    def broken() -> str:
        with reading() as session:
            session.execute(text("SELECT 1 / 0"))
        return ""

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/broken", "broken", broken)
    ana = client_as("member")
    answer = ana.get("/broken")
    assert (answer.status_code, "Something went wrong on our side" in answer.text) == (500, True)
    assert ana.get("/").status_code == 200


def test_what_pages_ask_stays_prepared_from_one_look_to_the_next(local_settings, fresh_db):
    visitor = create_app(local_settings, db=fresh_db).test_client()
    for _ in range(8):  # the driver prepares what it was asked five times
        assert visitor.get("/how-sharing-works").status_code == 200
    with fresh_db() as session:
        kept = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("FROM season" in statement for statement in kept)

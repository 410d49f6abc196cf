"""Every form and every question of every page, on the demo co-op's own rows, with what nobody should send."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

import coop
from tests.builders import FIELD_KEY
from tests.web.conftest import forms_of
from tests.web.test_sending import everything_written
from tests.web.walking import NOBODYS, Address, _plain

TABLE = {
    "account_id": "account WHERE code = 2000", "artisan_id": "artisan", "batch_id": "batch", "entry_id": "entry WHERE kind = 'order'",
    "grant_id": "role_grant", "hand_over_id": "hand_over", "household_id": "household", "job_id": "outbox", "line_id": "order_line",
    "offering_id": "offering", "order_id": "household_order", "payment_id": "payment", "period_id": "period", "person_id": "person",
    "point_id": "pickup_point", "pool_id": "pool", "product_id": "product", "run_id": "allocation_run", "season_id": "season",
    "share_id": "season_share", "sign_in_id": "sign_in", "size_id": "share_size", "snapshot_id": "snapshot",
    "statement_id": "statement", "type_id": "container_type",
}  # fmt: skip
"""Where the first row of an argument's kind is found; of other kinds the demo has none."""

OTHERWISE = {
    "bank": {"line_id": "bank_line", "statement_id": "bank_statement"},
    "settling": {"line_id": "bank_line", "statement_id": "bank_statement"},
    "treasury": {"run_id": "payout_run"},
    "preparing": {"run_id": "payout_run"},
    "seasons": {"line_id": "recipe_line"},
}
"""The same words for other rows, by area."""

ROLES = ("member", "artisan", "packer", "treasurer", "admin")
HOSTILE = [
    "'; DELETE FROM household; --", '" OR 1=1 --', "{{ 7*7 }}", "<script>alert(1)</script>", "\u202eevil", "%s%(x)s", "1e400", "Infinity", "-0",
    "\u0663", "1_000", "9223372036854775808", "-1", "12.3456789", "0001-01-01", "x" * 2000,
]  # fmt: skip
TURNS = 2
"""How often each form is sent, with other words in each place."""

KEPT = ("audit_record", "entry", "posting", "outbox", "notice", "spent_key", "policy", "bank_details", "order_line")
"""Tables of which at least one grows with whatever is done."""


@pytest.fixture
def local_settings(local_settings):
    """The key that the demo co-op's secrets are sealed with."""
    return dataclasses.replace(local_settings, field_key=FIELD_KEY)


@pytest.fixture
def db(riverside):
    """The demo co-op's sessions, in place of the empty one's."""
    engine = create_engine(riverside.app_url, connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def real(app, db):
    """Return all addresses, with the numbers of rows that are there."""

    def found() -> list[Address]:
        with db() as session, app.test_request_context():
            return [one for rule in app.url_map.iter_rules() for one in _of(session, rule)]

    return found


def _of(session, rule):
    area = OTHERWISE.get(rule.endpoint.partition(".")[0], {})
    values = {}
    for name in rule.arguments - (rule.defaults or {}).keys():
        where = area.get(name, TABLE.get(name))
        first = session.scalar(text(f"SELECT min(id) FROM {where}")) if where else None
        values[name] = first or (NOBODYS if name.endswith("_id") else _plain(rule, name))
    path = rule.build(values, append_unknown=False)
    return [Address(rule.endpoint, method, path[1]) for method in sorted(rule.methods - {"OPTIONS", "HEAD"})]


@pytest.fixture
def everybody(client_as):
    return client_as(*ROLES, artisan_id=1)


def test_no_form_takes_a_field_it_does_not_have_or_one_twice(app, real, everybody, db):
    token, before = everybody.token(), everything_written(db)
    unread = []
    for address in real():
        if address.method == "GET":
            continue
        sent = {"csrf_token": token, "key": "k" * 16}
        strange = everybody.post(address.path, data=sent | {"household_id": "1", "unit_minor": "1", "state": "paid"})
        twice = everybody.post(address.path, data=sent | {"key": ["k" * 16, "l" * 16]})
        if (strange.status_code, twice.status_code) in {(404, 404), (303, 303)}:
            unread.append(address.endpoint)  # the demo has no such row, or leads who is signed in elsewhere
        else:
            assert (strange.status_code, twice.status_code) == (400, 400), address
    for endpoint in unread:
        source = inspect.getsource(inspect.unwrap(app.view_functions[endpoint]))
        assert any(read in source for read in ("posted_key()", ".accepted()", "refuse_strangers(")), endpoint
    changed = {table for table, now in everything_written(db).items() if now != before[table]}
    assert changed <= {"sign_in"}


def test_no_question_to_any_page_reaches_the_database_as_more_than_words(real, everybody, db):
    asked = set(
        re.findall(r'args\.get\("(\w+)"', "".join(path.read_text() for path in Path(coop.__path__[0]).rglob("*.py")))
    )
    assert {"q", "page", "through"} <= asked
    before = everything_written(db)
    for turn, address in enumerate(real()):  # other words in each place from page to page
        if address.method != "GET":
            continue
        plain = everybody.get(address.path).status_code
        answer = everybody.get(address.path, query_string=rotated(sorted(asked | {"sort", "order", "dir"}), turn))
        assert answer.status_code in {plain, 303, 400, 404, 422}, address
        assert "<script>alert(1)" not in answer.text, address
        assert "evil.example" not in (answer.location or ""), address
    changed = {table for table, now in everything_written(db).items() if now != before[table]}
    assert changed <= {"sign_in"}


@pytest.mark.parametrize("turn", range(TURNS))
def test_whatever_is_typed_into_a_form_is_taken_or_refused_and_never_a_fault(real, everybody, db, turn):
    """Each field holds something else that nobody should send; what is refused leaves nothing behind."""
    sent = 0
    for address in real():
        page = everybody.get(address.path) if address.method == "GET" else None
        if page is None or page.status_code != 200 or "text/html" not in page.content_type:
            continue
        for form in forms_of(page.text):
            names = [name for name in form.fields if name not in {"csrf_token", "key"}]
            if form.method != "post" or not names:
                continue
            before = rows_kept(db)
            answer = everybody.post(form.action or address.path, data=form.fields | rotated(names, turn))
            assert answer.status_code < 500, (address, form.action)
            assert "<script>alert(1)" not in answer.text, (address, form.action)
            if answer.status_code >= 400:
                assert rows_kept(db) == before, (address, form.action)
            sent += 1
    assert sent > 30


def rotated(names: list[str], turn: int) -> dict[str, str]:
    """Give each name one of the hostile words, another in each turn."""
    return {name: HOSTILE[(place + turn * 5) % len(HOSTILE)] for place, name in enumerate(names)}


def rows_kept(db) -> tuple[int, ...]:
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in KEPT)
    with db() as session:
        return tuple(session.execute(text(f"SELECT {counts}")).one())

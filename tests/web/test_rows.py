"""Whose rows are whose: on the demo co-op, with numbers of rows that are really there, at every address that names one.

Each address that names a row stands in one of the tables here, so a new one cannot be forgotten.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from coop.access import service as access
from coop.clock import now
from tests.builders import FIELD_KEY
from tests.web.conftest import without_tokens
from tests.web.test_guards import policy_of
from tests.web.test_sending import everything_written
from tests.web.walking import NOBODYS, addresses

MOST = 3
"""How many rows of others are tried at each address."""

OWN = {
    "documents.ask_receipt": "SELECT entry_id, household_id = :household FROM recorded_payment",
    "documents.document": "SELECT id, household_id = :household FROM document",
    "documents.paper": "SELECT id, household_id = :household FROM document",
    "reasons.why": "SELECT l.id, o.household_id = :household FROM order_line l JOIN household_order o ON o.id = l.order_id",
    "monthly.plan": "SELECT id, household_id = :household FROM season_share",
    "places.give_up_share": "SELECT id, household_id = :household FROM season_share",
    "access.end_sign_in": "SELECT id, person_id = :person FROM sign_in",
    "proving.end_passkey": "SELECT id, person_id = :person FROM passkey",
    "telling.statement": "SELECT id, artisan_id = :artisan FROM statement",
    "telling.paper": "SELECT id, artisan_id = :artisan FROM statement",
    "yearly.paper": "SELECT id, id = :artisan FROM artisan",
    "workshop.plan": "SELECT id, id = :artisan FROM artisan",
} | dict.fromkeys(
    ("workshop.batch", "workshop.report", "workshop.start", "workshop.story"),
    "SELECT b.id, p.artisan_id = :artisan FROM batch b JOIN product p ON p.id = b.product_id",
)
"""Addresses whose row is a household's, a maker's or a person's own: all rows, and whether each is the viewer's."""

DOCUMENT = """
INSERT INTO seller (legal_name, address, tax_number, set_by, set_at) VALUES ('Riverside', 'Mill Lane', '', 0, now());
INSERT INTO document (kind, series, number, seller_id, household_id, addressee, starts, ends, issued_on, issued_at, issued_by, gross_minor, tax_minor, fund_minor, deposit_minor)
SELECT 'receipt', 'R', row_number() OVER (), (SELECT max(id) FROM seller), id, name, current_date, current_date, current_date, now(), 0, 100, 0, 0, 0
  FROM household WHERE id IS DISTINCT FROM CAST(:mine AS bigint) ORDER BY id LIMIT 2
"""
"""A document of each of two other households; the demo writes none."""

MEMBERS = {"documents.ask_receipt", "monthly.plan", "places.give_up_share"}
MAKERS = {"telling.statement", "telling.paper", "yearly.paper"}
"""Of these, what the policy shows to members alone, and what it does not show to them, whatever the row."""

EVERYBODYS = {
    "choices.instead", "awards.awards", "fairness.paper", "fairness.season", "impact.snapshot", "makers.batch", "makers.maker",
    "ordering.pool", "places.choose_price", "places.join_waiting_list", "places.leave_waiting_list", "places.take_share",
    "proofs.draw", "proofs.hand_in", "proofs.proof", "proofs.reveal", "proofs.verify",
}  # fmt: skip
"""Addresses whose row is the same for all whom the guard lets in; what of it is theirs, the page says by who they are."""

BY_LINK = {"addresses.confirm", "addresses.undo"}
"""Addresses whose row opens to whoever has the word that was mailed with it, and to nobody else."""

OF_OFFICE = {"packer", "mender", "treasurer", "bookkeeper", "admin", "health"}
"""Policies of those who act for the co-op: every row is theirs to see."""


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
def enter(app, db):
    """Return a browser in which somebody of the demo co-op is signed in, found by a query for their number."""

    def come_in(found: str):
        with db.begin() as session:
            person = session.execute(text(found)).scalar_one()
            token = access._start(session, person, at=now(), device="Firefox", origin="127.0.0.1")
            household = "SELECT household_id FROM belonging WHERE person_id = :p AND ended_at IS NULL"
            maker = "SELECT artisan_id FROM role_grant WHERE person_id = :p AND role = 'artisan' AND ended_at IS NULL"
            browser = app.test_client()
            browser.person_id = person
            browser.household_id = session.execute(text(household), {"p": person}).scalar()
            browser.artisan_id = session.execute(text(maker), {"p": person}).scalar()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
        return browser

    return come_in


MEMBER = (
    "SELECT b.person_id FROM belonging b JOIN season_share s ON s.household_id = b.household_id"
    " JOIN household_order o ON o.household_id = b.household_id JOIN order_line l ON l.order_id = o.id"
    " JOIN award a ON a.line_id = l.id WHERE b.person_id NOT IN (SELECT person_id FROM role_grant) ORDER BY 1 LIMIT 1"
)
ARTISAN = "SELECT person_id FROM role_grant WHERE role = 'artisan' ORDER BY 1 LIMIT 1"


def named(app) -> Iterator[tuple[str, str]]:
    """Return each address that names a row, with the argument that names it: the last."""
    for rule in app.url_map.iter_rules():
        numbers = re.findall(r"<[^>]*:(\w+_id)>", rule.rule)
        if numbers:
            yield rule.endpoint, numbers[-1]


def test_every_address_that_names_a_row_says_here_whose_it_is(app):
    told = {}
    for endpoint, _ in named(app):
        is_of_office = policy_of(app, endpoint) in OF_OFFICE
        told[endpoint] = (endpoint in OWN) + (endpoint in EVERYBODYS) + (endpoint in BY_LINK) + is_of_office
    assert {endpoint for endpoint, times in told.items() if times != 1} == set()
    assert (OWN.keys() | EVERYBODYS | BY_LINK) <= told.keys()


@pytest.mark.parametrize("who", [MEMBER, ARTISAN], ids=["member", "artisan"])
def test_anothers_row_reads_like_one_that_never_was_at_every_address(app, enter, db, who):
    browser, other = enter(who), enter("SELECT max(id) FROM person WHERE left_at IS NULL")
    assert browser.person_id != other.person_id
    with db.begin() as session:
        key = "INSERT INTO passkey (person_id, credential, public_key, sign_count, name, made_at) VALUES (:p, '\\x01', '\\x02', 0, 'key', now())"
        session.execute(text(key), {"p": other.person_id})
        for statement in DOCUMENT.split(";"):
            session.execute(text(statement), {"mine": browser.household_id} if ":mine" in statement else {})
    tried = set()
    for endpoint, argument in named(app):
        if endpoint not in OWN:
            continue
        whose = {"household": browser.household_id, "artisan": browser.artisan_id, "person": browser.person_id}
        with db() as session:
            rows = session.execute(text(OWN[endpoint]), whose).all()
        others = [row for row, is_own in rows if not is_own][:MOST]
        for number in others:
            for crossed, unknown in zip(
                (one for one in addresses(app, {argument: number}) if one.endpoint == endpoint),
                (one for one in addresses(app, {argument: NOBODYS}) if one.endpoint == endpoint),
                strict=True,
            ):
                answers = [ask(browser, one) for one in (crossed, unknown)]
                if [answer.status_code for answer in answers] == [403, 403]:
                    continue  # the policy keeps this role out, whatever the row
                told = [answer.status_code for answer in answers]
                assert told in ([404, 404], [422, 422]), crossed
                assert without_tokens(answers[0].text) == without_tokens(answers[1].text), crossed
                tried.add(endpoint)
    assert tried == OWN.keys() - (MAKERS if who is MEMBER else MEMBERS)


@pytest.mark.parametrize("who", [MEMBER, ARTISAN], ids=["member", "artisan"])
def test_ones_own_row_opens(app, enter, db, who):
    """So that the test above would notice a page which opens for nobody."""
    browser = enter(who)
    whose = {"household": browser.household_id, "artisan": browser.artisan_id, "person": browser.person_id}
    opened = set()
    for endpoint, argument in named(app):
        if endpoint not in OWN:
            continue
        with db() as session:
            own = [row for row, is_own in session.execute(text(OWN[endpoint]), whose) if is_own]
        for number in own if endpoint not in opened else ():
            for address in addresses(app, {argument: number, "year": now().year}):
                if address.endpoint == endpoint and address.method == "GET":
                    opened |= {endpoint} if browser.get(address.path).status_code == 200 else set()
    if who is MEMBER:
        assert opened == {"reasons.why", "monthly.plan", "documents.document"}
    else:
        assert opened >= {"telling.statement", "workshop.batch"}


CROSSED = {
    "choices.instead": "SELECT a.pool_id, b.id FROM offering a JOIN offering b ON b.pool_id <> a.pool_id ORDER BY a.pool_id DESC",
    "overrides.change": "SELECT r.id, l.id FROM allocation_run r, order_line l JOIN offering o ON o.id = l.offering_id WHERE o.pool_id <> r.pool_id",
    "overrides.lines": "SELECT r.id, o.id FROM allocation_run r JOIN offering o ON o.pool_id <> r.pool_id",
    "people.end_role": "SELECT p.id, g.id FROM person p JOIN role_grant g ON g.person_id <> p.id",
    "pools.withdraw": "SELECT a.id, o.id FROM pool a JOIN offering o ON o.pool_id <> a.id WHERE a.opened_at IS NULL",
    "seasons.take_out": "SELECT s.id, r.id FROM share_size s JOIN recipe_line r ON r.size_id <> s.id",
    "settling.charge": "SELECT s.id, l.id FROM bank_statement s JOIN bank_line l ON l.statement_id <> s.id",
    "settling.confirm": "SELECT s.id, l.id, (SELECT min(id) FROM household) FROM bank_statement s JOIN bank_line l ON l.statement_id <> s.id",
    "settling.settle": "SELECT s.id, l.id, 1 FROM bank_statement s JOIN bank_line l ON l.statement_id <> s.id",
    "treasury.payment": "SELECT r.id, p.id FROM payout_run r, payment p JOIN statement t ON t.id = p.statement_id WHERE t.run_id <> r.id",
}
"""Addresses that name a row and what it belongs to: pairs that do not belong together, in the order of the address."""

SECOND = (
    (
        "INSERT INTO bank_statement (sha256, sealed, statement_reference, opening_minor, closing_minor, closes_on, imported_by, imported_at)"
        " VALUES ('x', '\\x01', 'B', 0, 0, '2026-01-01', 1, now())"
    ),
    "INSERT INTO payout_run (through, minimum_minor, state, requested_by, requested_at) VALUES ('2026-01-01', 1, 'cancelled', 1, now())",
    (
        "INSERT INTO pool (season_id, name, opens_at, closes_at, pickup_on)"
        " SELECT season_id, 'Next', now() + interval '1 day', now() + interval '2 days', current_date + 9 FROM pool LIMIT 1"
    ),
)
"""A second statement, run and pool that the demo does not have, with nothing in them."""


def test_each_address_of_two_rows_is_tried_with_rows_that_do_not_belong_together(app):
    two = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.count("_id>") > 1}
    assert two == CROSSED.keys() | {"pools.offer"}, "a batch belongs to no pool before it is offered"


@pytest.mark.parametrize("endpoint", CROSSED)
def test_a_row_does_not_open_under_what_it_does_not_belong_to(app, client_as, db, endpoint):
    everybody = client_as("member", "artisan", "packer", "treasurer", "admin")
    with db.begin() as session:
        for statement in SECOND:
            session.execute(text(statement))
        pair = session.execute(text(CROSSED[endpoint] + " LIMIT 1")).one()
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
    values = dict(zip(re.findall(r"<[^>]*:(\w+_id)>", rule.rule), pair, strict=True))
    before = everything_written(db)
    for address in addresses(app, values):
        if address.endpoint == endpoint:
            assert ask(everybody, address).status_code == 404, address
    assert changed(before, everything_written(db)) <= {"sign_in"}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {table for table in after if after[table] != before.get(table)}


def ask(browser, address):
    """Open an address, a form's with the form's token and key."""
    sent = None if address.method == "GET" else {"csrf_token": browser.token(), "key": "k" * 16}
    return browser.open(address.path, method=address.method, data=sent)

"""Two co-ops side by side, each with a database of its own, even under the same secrets: nothing of one opens anything in the other."""

from __future__ import annotations

import pytest

from coop.access import service as access
from coop.app import create_app
from coop.clock import now
from coop.people import service as people
from tests.web.conftest import PASSWORD, Browser, hash_of
from tests.web.walking import addresses


@pytest.fixture
def neighbour(another_db, local_settings):
    """The other co-op: the same settings and secrets, another database."""
    with another_db() as db:
        made = create_app(local_settings, db=db)
        made.test_client_class = Browser
        made.own_db = db
        yield made


def sign_in(browser, email: str):
    return browser.fill("/sign-in", {"email": email, "password": PASSWORD})


def test_a_session_of_one_is_nobodys_in_the_other(client_as, neighbour):
    ana, there = client_as("member"), neighbour.test_client()
    with ana.session_transaction() as mine:
        kept = dict(mine)
    with there.session_transaction() as cookie:
        cookie.update(kept)
    assert ana.get("/account/sign-ins").status_code == 200
    assert there.get("/account/sign-ins").location.startswith("/sign-in")


def test_a_password_of_one_is_worth_nothing_in_the_other(someone, visitor, neighbour):
    ana = someone("member")
    assert sign_in(neighbour.test_client(), ana.email).status_code == 422
    assert sign_in(visitor, ana.email).status_code == 303


def test_a_link_of_one_opens_nothing_in_the_other(app, db, neighbour):
    link = f"/first-admin/{access.first_admin(db, 'ana@example.org', at=now())}"
    assert neighbour.test_client().get(link).status_code == 422
    assert app.test_client().get(link).status_code == 200


def test_the_same_address_in_both_is_two_people(someone, neighbour):
    ana = someone("member")
    with neighbour.own_db.begin() as session:
        there = people.new_person(session, name="Ana", email=ana.email, at=now())
        session.get_one(people.Person, there).password_hash = hash_of(PASSWORD)
    browser = neighbour.test_client()
    assert sign_in(browser, ana.email).status_code == 303
    assert browser.get("/balance").status_code == 403, "her household is the other co-op's"


def test_no_number_of_one_opens_a_row_in_the_other(app, client_as, someone, neighbour):
    """An admin of each at every address that names a row: what is there in one is not found in the other, and a mailed word not known."""
    here = client_as("admin")
    with neighbour.own_db.begin() as session:
        tomas = people.new_person(session, name="Tomas", email="tomas@example.org", at=now())
        token = access._start(session, tomas, at=now(), device="Firefox", origin="127.0.0.1")
    people.grant_role(neighbour.own_db, tomas, "admin", by=0, at=now())
    there = neighbour.test_client()
    with there.session_transaction() as cookie:
        cookie["_user_id"] = token
    ana = someone("member", household=True)
    for path in (f"/people/{ana.id}", f"/admin/members/{ana.household_id}", f"/money/households/{ana.household_id}"):
        assert here.get(path).status_code == 200, path
        assert there.get(path).status_code in {303, 404}, path
    own = {"person_id": ana.id, "household_id": ana.household_id}
    for address in addresses(neighbour, own):
        if address.method == "GET" and "_id>" in str(next(neighbour.url_map.iter_rules(address.endpoint))):
            assert there.get(address.path).status_code in {303, 403, 404, 422}, address

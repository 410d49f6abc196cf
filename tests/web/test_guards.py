"""Who may open what: every view declares it, and every role meets what was declared."""

from __future__ import annotations

import logging
import re

import pytest

from coop.people import service as people
from coop.web import guards
from coop.web.guards import safe_next
from tests.web.conftest import app_code, headings, without_tokens
from tests.web.walking import addresses

ROLES = ("member", "artisan", "packer", "treasurer", "accountant", "admin")
WHO = {
    "anyone": {"visitor", *ROLES},
    "signed_in": set(ROLES),
    "member": {"member"},
    "artisan": {"artisan"},
    "packer": {"packer", "admin"},
    "mender": {"packer", "treasurer", "admin"},
    "treasurer": {"treasurer", "admin"},
    "bookkeeper": {"accountant", "treasurer", "admin"},
    "statement_reader": {"artisan", "treasurer", "admin"},
    "witness": {"artisan", "packer", "treasurer", "admin"},
    "assembly": {"member", "admin"},
    "admin": {"admin"},
    "health": {"treasurer", "admin"},
}
"""Whom each policy lets in, said a second time, by hand. A policy of your own needs a line here."""


def policy_of(app, endpoint: str) -> str:
    guard = app.view_functions[endpoint].guard
    return guard.base or guard.name


def test_every_view_declares_a_policy_that_is_known_here(app):
    unguarded = [end for end, view in app.view_functions.items() if not hasattr(view, "guard")]
    assert unguarded == []
    assert {policy_of(app, endpoint) for endpoint in app.view_functions} <= set(WHO)


@pytest.mark.own_app
def test_a_view_without_a_policy_is_refused_to_everybody(app, client_as):
    app.add_url_rule("/forgotten-guard", "forgotten", lambda: "secret")
    assert app.test_client().get("/forgotten-guard").status_code == 403
    assert client_as(*ROLES).get("/forgotten-guard").status_code == 403


def test_a_view_has_one_policy_only():
    def view() -> str:
        return ""

    guards.admin(view)
    with pytest.raises(AssertionError, match="has a guard already"):
        guards.anyone(view)


def test_each_address_is_answered_by_one_view_only(app):
    answers: dict[tuple[str, str], set[str]] = {}
    for rule in app.url_map.iter_rules():
        shape = re.sub(r"<[^>]*>", "<>", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answers.setdefault((shape, method), set()).add(rule.endpoint)
    assert {address: views for address, views in answers.items() if len(views) > 1} == {}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_meets_what_each_address_declares(app, client_as, role):
    wrong = []
    browser = client_as(role)
    sent = {"csrf_token": browser.token()}
    for address in addresses(app):
        answer = browser.open(address.path, method=address.method, data=None if address.method == "GET" else sent)
        let_in = role in WHO[policy_of(app, address.endpoint)]
        if let_in == (answer.status_code == 403):
            wrong.append((address, answer.status_code, "should be let in" if let_in else "should be refused"))
        if address.method != "GET" and answer.status_code < 400:  # an act was done; it may have been signing out
            browser = client_as(role)
            sent = {"csrf_token": browser.token()}
    assert wrong == []


def test_a_visitor_is_asked_to_sign_in_wherever_that_is_needed(app, visitor):
    sent = {"csrf_token": visitor.token()}
    for address in addresses(app):
        answer = visitor.open(address.path, method=address.method, data=None if address.method == "GET" else sent)
        asked = answer.status_code == 303 and (answer.location or "").startswith("/sign-in?next=/")
        assert asked == ("visitor" not in WHO[policy_of(app, address.endpoint)]), address


def test_anothers_row_reads_like_one_that_never_was(client_as, someone, db):
    ana, tomas, petra = client_as("admin"), someone("packer"), someone("treasurer")
    with db() as session:
        grant_of_petra = session.scalar(
            people.select(people.RoleGrant.id).where(people.RoleGrant.person_id == petra.id)
        )
    crossed = ana.press(f"/people/{tomas.id}/roles/{grant_of_petra}/end")
    unknown = ana.press("/people/999999/roles/999999/end")
    assert (crossed.status_code, unknown.status_code) == (404, 404)
    assert without_tokens(crossed.text) == without_tokens(unknown.text)


def test_a_sign_in_of_somebody_else_cannot_be_ended_and_is_not_admitted_to_exist(client_as, db):
    ana, tomas = client_as("member"), client_as("member")
    with db() as session:
        his = session.scalar(people.select(_sign_in().id).where(_sign_in().person_id == tomas.person_id))
    crossed, unknown = (ana.press(f"/account/sign-ins/{one}/end") for one in (his, 999_999))
    assert (crossed.status_code, unknown.status_code) == (404, 404)
    assert without_tokens(crossed.text) == without_tokens(unknown.text)
    assert tomas.get("/account/sign-ins").status_code == 200


def _sign_in():
    from coop.access.models import SignIn

    return SignIn


def test_a_role_lost_is_lost_on_the_next_page(client_as, someone, db, at):
    browser = client_as("treasurer", "admin")
    assert browser.get("/people").status_code == 200
    other = someone("admin")
    with db() as session:
        grants = session.scalars(
            people.select(people.RoleGrant.id).where(people.RoleGrant.person_id == browser.person_id)
        ).all()
    for grant_id in grants:
        people.end_role(db, grant_id, by=other.id, at=at)
    assert browser.get("/people").status_code == 403


def test_an_act_on_roles_asks_for_the_second_factor_when_it_was_given_long_ago(client_as, someone, db, sign_in_age):
    ana, tomas = client_as("admin"), someone("member")
    sign_in_age(ana.person_id, minutes=11)
    asked = ana.get(f"/people/{tomas.id}/roles")
    assert (asked.status_code, asked.location) == (303, f"/confirm?next=/people/{tomas.id}/roles")
    sent = ana.press(f"/people/{tomas.id}/sign-ins/end")
    assert (sent.status_code, headings(sent.text)) == (422, ["Is it you?"])
    wrong = ana.fill(asked.location, {"code": "000000"})
    assert wrong.status_code == 422
    confirmed = ana.fill(asked.location, {"code": app_code()})
    assert (confirmed.status_code, confirmed.location) == (303, f"/people/{tomas.id}/roles")
    assert ana.get(f"/people/{tomas.id}/roles").status_code == 200


STAYING = ["/", "/pools/7", "/pools/7?line=2", "/people?q=a%20b", "/a/b#c", "/path%2Fname"]
LEAVING = [
    "", "pools", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%5Cevil.example", "/%2Fevil.example",
    "/%2F%2Fevil.example", "/%252F%252Fevil.example", "http://evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x",
    "/\tpath", "/ path", "/path\r\nSet-Cookie: a=b", " //evil.example", "/%09/evil.example", "/%0d%0aevil", "/" + "a" * 3000, "HTTP://evil.example/",
]  # fmt: skip


@pytest.mark.parametrize("target", STAYING)
def test_next_may_be_a_page_of_ours(target):
    assert safe_next(target) == target


@pytest.mark.parametrize("target", LEAVING)
def test_next_never_leaves_this_site(target, visitor, someone):
    assert safe_next(target) == "/"
    ana = someone("member")
    page = visitor.get("/sign-in", query_string={"next": target})
    from tests.web.conftest import PASSWORD, forms_of

    fields = forms_of(page.text)[-1].fields | {"email": ana.email, "password": PASSWORD}
    assert visitor.post("/sign-in", query_string={"next": target}, data=fields).location == "/"


def test_refused_accesses_are_logged_and_raise_an_alarm_above_twenty(client_as, caplog):
    browser = client_as("member")
    caplog.set_level(logging.WARNING)
    for _ in range(20):
        browser.get("/people")
    assert sum("refused status=403" in line for line in caplog.messages) == 20
    assert not any("alarm" in line for line in caplog.messages)
    browser.get("/people")
    assert any(
        record.levelno == logging.ERROR and "alarm refused_accesses" in record.message for record in caplog.records
    )
    assert not any("example.org" in line or "Ana" in line for line in caplog.messages)

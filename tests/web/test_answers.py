"""What every answer carries, and what people see when something cannot be done."""

from __future__ import annotations

import dataclasses
import logging

import pytest
from sqlalchemy import text

from coop.app import create_app
from coop.core.errors import RuleBroken
from coop.web.guards import anyone
from coop.web.reading import db as the_db
from tests.web.conftest import Browser, forms_of, headings
from tests.web.walking import addresses

pytestmark = pytest.mark.own_app  # pages are added to it

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def answers_of_every_kind(app, client_as) -> dict[int, object]:
    """Return one answer of each status that people meet."""
    app.add_url_rule("/fault", "fault", anyone(lambda: 1 // 0))
    visitor, ana = app.test_client(), client_as("member")
    token = {"csrf_token": visitor.token()}
    answers = [
        visitor.get("/sign-in"),
        visitor.get("/people"),
        visitor.post("/sign-in"),
        ana.get("/people"),
        visitor.get("/nowhere"),
        visitor.put("/sign-in"),
        visitor.post("/sign-in", data=token | {"email": "x" * 2_000_000}),
        visitor.post("/sign-in", data=token),
        visitor.get("/fault"),
    ]
    asked = token | {"key": "k" * 16, "email": "ana@example.org"}
    answers += [visitor.post("/join", data=asked) for _ in range(4)]
    return {answer.status_code: answer for answer in answers}


def test_every_status_carries_the_headers(app, client_as):
    answers = answers_of_every_kind(app, client_as)
    assert set(answers) == {200, 303, 400, 403, 404, 405, 413, 422, 429, 500}
    for status, answer in answers.items():
        assert answer.headers["Content-Security-Policy"] == POLICY, status
        assert answer.headers["X-Content-Type-Options"] == "nosniff", status
        assert answer.headers["Referrer-Policy"] == "same-origin", status
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", status
        assert "Strict-Transport-Security" not in answer.headers, status


def test_every_failure_is_a_page_in_words(app, client_as):
    for status, answer in answers_of_every_kind(app, client_as).items():
        if status >= 400:
            assert len(headings(answer.text)) == 1, status
            assert str(status) not in headings(answer.text)[0]


@pytest.fixture
def https_app(local_settings, db):
    settings = dataclasses.replace(local_settings, base_url="https://coop.example", trusted_hosts=("coop.example",))
    made = create_app(settings, db=db)
    made.test_client_class = Browser
    return made


def test_over_https_the_cookies_are_bound_to_the_host_and_the_page_asks_for_https(https_app, someone):
    browser, ana = https_app.test_client(), someone("member")
    at = {"base_url": "https://coop.example"}
    page = browser.get("/sign-in", **at)
    typed = {"email": ana.email, "password": "seven kettles sing at noon"}
    answer = browser.post("/sign-in", data=forms_of(page.text)[-1].fields | typed, **at)
    assert answer.status_code == 303
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookies = answer.headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["__Host-coop", "__Host-known"]
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)


def test_on_this_machine_the_cookies_have_plain_names(client_as, visitor):
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("coop=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8000", "127.0.0.1@evil.example"]
)
def test_a_forged_host_is_refused_and_not_repeated(visitor, host):
    answer = visitor.get("/sign-in", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_without_a_proxy_nobody_can_say_where_they_come_from(app, client_as, db):
    browser = app.test_client()
    browser.get("/people", headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"})
    with app.test_request_context(
        "/", headers={"X-Forwarded-For": "203.0.113.9"}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
    ):
        from coop.web.visits import origin

        assert origin() == "127.0.0.1"


def test_behind_one_proxy_only_its_own_word_counts(local_settings, db, caplog):
    app = create_app(dataclasses.replace(local_settings, proxy_hops=1), db=db)
    seen = []
    app.add_url_rule("/where", "where", anyone(lambda: seen.append(_origin()) or "here"))
    app.test_client().get("/where", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    assert seen == ["203.0.113.9"]


def _origin() -> str | None:
    from coop.web.visits import origin

    return origin()


def test_what_a_signed_in_person_sees_is_kept_by_no_cache(app, client_as):
    everybody = client_as("member", "artisan", "packer", "treasurer", "admin")
    for address in addresses(app):
        if address.method == "GET":
            assert everybody.get(address.path).headers["Cache-Control"] == "no-store", address


def test_a_page_for_visitors_sets_no_cookie_unless_it_holds_a_form(visitor):
    answer = visitor.get("/mail-sent")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache"


def test_health_tells_visitors_nothing(visitor):
    answer = visitor.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "Server" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DELETE", "PATCH", "PUT"])
def test_methods_nobody_needs_are_off(visitor, method):
    answer = visitor.open("/sign-in", method=method, headers={"X-Secret": "do not echo"})
    assert answer.status_code == 405
    assert "do not echo" not in answer.text


def test_there_is_no_listing_of_files(visitor, app):
    css = app.jinja_env.globals["static_url"]("css/base.css")
    assert visitor.get(css, buffered=True).status_code == 200
    assert visitor.get(css.rpartition("/")[0] + "/").status_code == 404
    assert visitor.get(css.rpartition("/")[0] + "/../../../coop/app.py").status_code == 404


def test_files_keep_for_ever_under_an_address_that_changes_with_them(visitor, app):
    answer = visitor.get(app.jinja_env.globals["static_url"]("css/base.css"), buffered=True)
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_fault_shows_a_number_found_in_the_log_and_nothing_else(app, client_as, caplog):
    def broken() -> str:
        raise LookupError("secret detail of person 17")

    app.add_url_rule("/fault", "fault", anyone(broken))
    caplog.set_level(logging.ERROR)
    answer = app.test_client().get("/fault")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "LookupError" not in answer.text
    (line,) = [line for line in caplog.messages if line.startswith("fault reference=")]
    assert line.split("reference=")[1].split()[0] in answer.text


def test_a_fault_leaves_nothing_half_done(app, db):
    def half() -> str:
        with the_db().begin() as session:
            session.execute(text("INSERT INTO household (name) VALUES ('Half')"))
            raise LookupError("between two writes")

    app.add_url_rule("/half", "half", anyone(half))
    assert app.test_client().get("/half").status_code == 500
    with db() as session:
        assert session.scalar(text("SELECT count(*) FROM household WHERE name = 'Half'")) == 0


def test_a_fault_in_any_view_is_the_same_calm_page(app, client_as):
    def broken(**_: object) -> str:
        raise ZeroDivisionError

    for endpoint, view in list(app.view_functions.items()):
        guard = view.guard

        def fails(guard=guard, **named: object) -> str:
            return broken(**named)

        fails.guard = dataclasses.replace(guard, row=None)
        app.view_functions[endpoint] = fails
    everybody = client_as("member", "artisan", "packer", "treasurer", "admin")
    for address in addresses(app):
        if address.method == "GET":
            answer = everybody.get(address.path)
            assert (answer.status_code, headings(answer.text)) == (500, ["Something went wrong on our side"]), address


def test_a_fault_is_shown_even_while_the_database_is_away(local_settings):
    away = dataclasses.replace(local_settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = create_app(away).test_client().get("/sign-in")
    assert (answer.status_code, headings(answer.text)) == (500, ["Something went wrong on our side"])


@pytest.mark.parametrize(
    ("code", "status"), [("not_open", 422), ("key_reused", 409), ("second_person", 403), ("inputs_changed", 409)]
)
def test_a_rule_broken_outside_a_form_is_a_page_with_its_sentence(app, code, status):
    def refuses() -> str:
        raise RuleBroken(code, "The pool is closed since Friday.")

    app.add_url_rule("/rule", "rule", anyone(refuses))
    answer = app.test_client().get("/rule")
    assert answer.status_code == status
    assert "The pool is closed since Friday." in answer.text


def test_a_key_that_signed_before_still_opens_what_it_signed(local_settings, db, someone):
    old, new = "old" * 20, "new" * 20
    ana = someone("member")
    before = create_app(dataclasses.replace(local_settings, secret_keys=(old,)), db=db)
    after = create_app(dataclasses.replace(local_settings, secret_keys=(new, old)), db=db)
    later = create_app(dataclasses.replace(local_settings, secret_keys=(new,)), db=db)
    for app in (before, after, later):
        app.test_client_class = Browser
    browser = before.test_client()
    browser.fill("/sign-in", {"email": ana.email, "password": "seven kettles sing at noon"})
    assert browser.get("/account/sign-ins").status_code == 200
    kept = browser.get_cookie("coop").value
    assert _with(after, kept).get("/account/sign-ins").status_code == 200
    assert _with(later, kept).get("/account/sign-ins").status_code == 303


def _with(app, cookie: str):
    browser = app.test_client()
    browser.set_cookie("coop", cookie)
    return browser

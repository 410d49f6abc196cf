"""An application on the test's own transaction, and browsers in which people of each role are signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from coop.access import service as access
from coop.app import create_app
from coop.clock import now
from coop.config import Settings
from coop.core.factors import step_at
from coop.factors import service as factors
from coop.formats import codes
from coop.people import service as people
from coop.web.forms import new_key
from coop.web.limits import limiter
from coop.web.reading import Installation

PASSWORD = "seven kettles sing at noon"


class Browser(FlaskClient):
    """A browser: it keeps cookies, and sends forms as the page has them, the hidden fields included."""

    person_id: int = 0
    household_id: int | None = None

    def fill(
        self, path: str, typed: dict[str, object] | None = None, *, action: str | None = None, **named
    ) -> TestResponse:
        """Load the page, and send its form (that with `action`, else the last one on it) with what is typed."""
        page = self.get(path)
        assert page.status_code == 200, f"{path}: {page.status_code} {page.location or ''}"
        forms = [one for one in forms_of(page.text) if one.method == "post"]
        chosen = next(
            one for one in reversed(forms) if (action is None and one.action != "/sign-out") or one.action == action
        )
        return self.post(chosen.action or path, data=chosen.fields | (typed or {}), **named)

    def token(self) -> str:
        """Return the CSRF token of this browser's session, as any page of it would carry it."""
        return str(forms_of(self.get("/password/forgotten").text)[-1].fields["csrf_token"])

    def press(self, action: str, typed: dict[str, object] | None = None, **named) -> TestResponse:
        """Send a form of one button: the token, a key, and what else is given."""
        return self.post(action, data={"csrf_token": self.token(), "key": new_key()} | (typed or {}), **named)


@dataclass
class FormSeen:
    method: str
    action: str
    fields: dict[str, object] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[FormSeen] = []
        self.open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(FormSeen(named.get("method", "get").lower(), named.get("action", "")))
            self.open = True
        elif tag in {"input", "textarea", "select"} and self.open and named.get("name"):
            self._keep(named)

    def _keep(self, named: dict[str, str]) -> None:
        if named.get("type") not in {"radio", "checkbox"} or "checked" in named:
            self.found[-1].fields[named["name"]] = named.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = False


def forms_of(html: str) -> list[FormSeen]:
    """Return the forms of a page with what they would send."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


def headings(html: str) -> list[str]:
    """Return the words of a page's first-level headings."""
    return [re.sub(r"\s+", " ", one).strip() for one in re.findall(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)]


@pytest.fixture(autouse=True)
def _living_valkey() -> None:
    """Forget that an earlier test's Valkey did not answer."""
    limiter._storage_dead = False


@pytest.fixture(scope="session")
def shared_settings(services, tmp_path_factory) -> Settings:
    """Settings of an installation on this machine, for all tests that need no others."""
    home = tmp_path_factory.mktemp("home")
    return Settings.from_environment(
        {"COOP_HOME": str(home), "DATABASE_URL": services.app_url, "REDIS_URL": services.redis_url}
    )


@pytest.fixture
def local_settings(shared_settings: Settings, redis_url: str) -> Settings:
    """Settings of an installation on this machine, whose database is the test's own transaction and whose broker is empty."""
    assert redis_url == shared_settings.redis_url
    return shared_settings


@pytest.fixture(scope="session")
def built() -> Callable[[Settings, sessionmaker[Session]], Flask]:
    """What puts the application together, once for all tests with the same settings: that takes longer than most of them."""
    kept: list[tuple[Settings, Flask, dict[str, object]]] = []

    def build(settings: Settings, db: sessionmaker[Session]) -> Flask:
        for known, app, limits in kept:
            if known == settings:
                vars(limiter).update(limits)  # the one that counts is of the application made last
                app.extensions["coop"] = Installation(settings, db)
                return app
        app = _browsed(create_app(settings, db=db))
        kept.append((settings, app, dict(vars(limiter))))
        return app

    return build


@pytest.fixture
def app(request: pytest.FixtureRequest, built, local_settings: Settings, db: sessionmaker[Session]) -> Flask:
    """The application; everything it writes is undone after the test. Who changes the application itself is marked `own_app`."""
    if request.node.get_closest_marker("own_app"):
        return _browsed(create_app(local_settings, db=db))
    return built(local_settings, db)


def _browsed(app: Flask) -> Flask:
    app.test_client_class = Browser
    return app


@pytest.fixture
def visitor(app: Flask) -> Browser:
    """A browser in which nobody is signed in."""
    return app.test_client()


@dataclass(frozen=True)
class Someone:
    """A person of the co-op for tests."""

    id: int
    email: str
    household_id: int | None


@pytest.fixture
def someone(db: sessionmaker[Session]) -> Callable[..., Someone]:
    """Make a person: `someone("treasurer")`; a member belongs to a household, others to none."""
    numbers = iter(range(1, 1000))

    def make(*roles: str, artisan_id: int | None = None, household: bool = False) -> Someone:
        email = f"{'-'.join(roles) or 'person'}{next(numbers)}@example.org"
        with db.begin() as session:
            person_id = people.new_person(session, name=f"Ana {email.partition('@')[0].title()}", email=email, at=now())
            session.get_one(people.Person, person_id).password_hash = hash_of(PASSWORD)
            household_id = None
            if household or "member" in roles:
                household_id = people.new_household(session, "The Kettle household")
                people.belong(session, person_id, household_id, at=now())
        for role in set(roles) - {"member"}:
            maker = (artisan_id or 1) if role == "artisan" else None
            people.grant_role(db, person_id, role, artisan_id=maker, by=0, at=now())
        return Someone(person_id, email, household_id)

    return make


_hashes: dict[str, str] = {}


def hash_of(password: str) -> str:
    """Hash a password once for the whole run: hashing is slow on purpose."""
    return _hashes.setdefault(password, people.HASHES.hash(password))


APP_SECRET = b"twenty bytes, no more"[:20]


def give_app(session: Session, person_id: int, field_key: bytes) -> None:
    """Let a person have an app with codes, whose last code was used long ago."""
    factors.give_app(session, person_id, APP_SECRET, at=now(), field_key=field_key)


def app_code(*, steps: int = 0) -> str:
    """Return what that app shows now, or some half minutes later."""
    return codes.code_of(APP_SECRET, step_at(int(now().timestamp())) + steps)


def set_up_app(browser: Browser) -> list[str]:
    """Let whoever is signed in set up an app, as the page tells its secret; return the recovery codes shown."""
    page = browser.get("/account/second-step/app")
    secret = codes.read_secret(re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text).group(1))
    fields = forms_of(page.text)[-1].fields
    code = codes.code_at(secret, int(now().timestamp()))
    answer = browser.post("/account/second-step/app", data=fields | {"code": code})
    return re.findall(r"<code>(\w{5}-\w{5})</code>", answer.text)


@pytest.fixture
def client_as(app: Flask, db: sessionmaker[Session], someone, local_settings: Settings) -> Callable[..., Browser]:
    """Return a browser signed in as a new person of these roles: `client_as("admin")`, `client_as("artisan", artisan_id=3)`."""

    def make(*roles: str, artisan_id: int | None = None) -> Browser:
        person = someone(*roles, artisan_id=artisan_id)
        browser = app.test_client()
        with db.begin() as session:
            if not {"artisan", "treasurer", "admin"}.isdisjoint(roles):
                give_app(session, person.id, local_settings.field_key)
            token = access._start(session, person.id, at=now(), device="Firefox on a telephone", origin="127.0.0.1")
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
        browser.person_id = person.id
        browser.household_id = person.household_id
        return browser

    return make


@pytest.fixture
def at() -> datetime:
    """The present instant, for commands."""
    return now()


@pytest.fixture
def sign_in_age(db: sessionmaker[Session]) -> Callable[..., None]:
    """Let a person's sign-ins be as old as said: begun, seen and confirmed so long ago."""

    def make_old(person_id: int, **age: int) -> None:
        with db.begin() as session:
            session.execute(
                text(
                    "UPDATE sign_in SET started_at = started_at - :age, seen_at = seen_at - :age,"
                    " confirmed_at = confirmed_at - :age WHERE person_id = :person"
                ),
                {"age": timedelta(**age), "person": person_id},
            )

    return make_old


@pytest.fixture
def queries_of(db: sessionmaker[Session]) -> Callable[[Callable[[], object]], int]:
    """Count the statements that a page asks of the database; settings of the transaction are not counted."""

    def count(act: Callable[[], object]) -> int:
        seen: list[str] = []

        def note(_connection, _cursor, statement: str, *_more) -> None:
            if not statement.startswith(("SET ", "SAVEPOINT", "RELEASE", "ROLLBACK")):
                seen.append(statement)

        engine = db.kw["bind"].engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    return count


def without_tokens(page: str) -> str:
    """Return a page without its CSRF tokens, which carry the second they were made in."""
    return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", page)

"""Who is here: Flask-Login's user is one sign-in of a person, looked up anew for each request."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response

from coop.core.roles import Viewer
from coop.web.reading import settings

KNOWN_DEVICE: Final = timedelta(days=400)
_PEOPLE_A_DEVICE: Final = 5


@dataclass(frozen=True, eq=False)
class Visit(UserMixin):  # type: ignore[misc]
    """One sign-in as this request finds it. Its id in the cookie is the random token, of which the database keeps a digest.

    `viewer` has the rights that count now; `promised` those besides that wait for the person's second factor.
    """

    token: str
    sign_in_id: int
    confirmed_at: datetime
    viewer: Viewer
    promised: Viewer

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie."""
        return self.token


Find = Callable[[str], Visit | None]


def install(app: Flask, find: Find) -> None:
    """Let Flask-Login find the visit of a token by `find`."""
    logins = LoginManager()
    logins.session_protection = None  # a telephone changes its network all day; the server ends sessions
    logins.init_app(app)
    logins.user_loader(find)
    app.extensions["find_visit"] = find


def visit() -> Visit | None:
    """Return the visit of this request, or None for a visitor; one look into the database at most."""
    if "_user_id" not in session:
        return None  # leaves pages for visitors without a cookie
    here = current_user._get_current_object()  # noqa: SLF001 - Werkzeug's own name for it
    return here if isinstance(here, Visit) else None


def begin(here: Visit) -> None:
    """Start a new session in this browser: nothing of the one before is kept, so it cannot have been planted."""
    session.clear()
    g.pop("csrf_token", None)  # of the session before; a page that answers this very request takes a new one
    session.permanent = True
    login_user(here)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-in whose password was right and whose second step is awaited; it opens nothing."""

    token: str
    email: str


def begin_waiting(token: str, email: str) -> None:
    """Keep in this browser, which had nothing of this person's yet, that the second step is awaited."""
    session.clear()
    session["second_step"] = [token, email]


def waiting() -> Waiting | None:
    """Return the sign-in that waits here for its second step."""
    kept = session.get("second_step")
    return Waiting(str(kept[0]), str(kept[1])) if kept else None


def renewed(here: Visit, token: str) -> Visit:
    """Return the same visit under its new token."""
    return replace(here, token=token)


def end() -> None:
    """Forget the session in this browser."""
    logout_user()
    session.clear()


def origin() -> str | None:
    """Return the network address this request came from, as the counted proxies say."""
    return request.remote_addr


def device() -> str:
    """Return how the browser names itself, cut short and made printable."""
    named = request.user_agent.string[:200]
    return "".join(mark if mark.isprintable() else "?" for mark in named) or "a browser without a name"


def this() -> Visit:
    """Return the visit of a view whose guard let only signed-in people in."""
    here = visit()
    assert here is not None, "this view is open to visitors"
    return here


def found(token: str) -> Visit:
    """Return the visit of a session just begun."""
    here = current_app.extensions["find_visit"](token)
    assert isinstance(here, Visit)
    return here


def remember_device(response: Response, email: str) -> Response:
    """Keep in the browser that this person signed in here, so that strangers' wrong tries do not count against them."""
    device, people = _known()
    people = [_digest(email), *(one for one in people if one != _digest(email))][:_PEOPLE_A_DEVICE]
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    seal = _sealer().dumps([device or secrets.token_urlsafe(12), people])
    response.set_cookie(_cookie(), seal, max_age=KNOWN_DEVICE, secure=secure, httponly=True, samesite="Lax", path="/")
    return response


def known_device(email: str) -> str | None:
    """Return this device's own key for a mail address if its owner signed in here before."""
    device, people = _known()
    return f"device:{device}:{_digest(email)}" if _digest(email) in people else None


def _known() -> tuple[str, list[str]]:
    try:
        device, people = _sealer().loads(request.cookies.get(_cookie(), ""))
    except BadData:
        return "", []
    return str(device), list(people)


def _sealer() -> URLSafeSerializer:
    newest_last = list(reversed(settings().secret_keys))
    return URLSafeSerializer(newest_last, salt="known-device")


def _cookie() -> str:
    return "__Host-known" if current_app.config["SESSION_COOKIE_SECURE"] else "known"


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()[:24]

"""What every answer carries, whatever its status, and what is refused before a view sees it."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request, session
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter

from coop.web.reading import settings

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
View = TypeVar("View", bound=Callable[..., Any])
ONE_YEAR: Final = 31_536_000
LARGEST_ID: Final = 2**63 - 1


class IdConverter(IntegerConverter):
    """`<int:...>` in addresses: plain digits, and no number that the database could not hold."""

    regex = "[0-9]{1,19}"

    def __init__(self, map: object, **named: int) -> None:  # noqa: A002 - Werkzeug's own name
        super().__init__(map, **{"max": LARGEST_ID, **named})  # type: ignore[arg-type]


def install(app: Flask) -> None:
    """Refuse what no page sends, and put the headers on every answer."""
    app.url_map.converters["int"] = IdConverter
    app.before_request(refuse_unreadable)
    app.after_request(put_on)


def fixed_headers(base_url: str) -> dict[str, str]:
    """Return the headers that do not depend on the page; the files under /static carry them too."""
    if urlsplit(base_url).scheme != "https":
        return ALWAYS
    return ALWAYS | {"Strict-Transport-Security": f"max-age={ONE_YEAR}"}


def takes_files(most: int) -> Callable[[View], View]:
    """Let a view take files of so many bytes in all; other views take forms only."""

    def mark(view: View) -> View:
        view.room = most  # type: ignore[attr-defined]
        return view

    return mark


def put_on(response: Response) -> Response:
    """Put on the headers; what somebody sees who is signed in is kept by no cache."""
    for name, value in fixed_headers(settings().base_url).items():
        response.headers.setdefault(name, value)
    if "_user_id" in session or session.modified:
        response.headers["Cache-Control"] = "no-store"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache"
    return response


def refuse_unreadable() -> None:
    """Refuse the character NUL anywhere, which no text of ours can hold, and a form sent from another site."""
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = getattr(view, "room", current_app.config["MAX_CONTENT_LENGTH"])
    texts = [request.path, *request.args.keys(), *request.args.values()]
    if request.method in {"POST", "PUT", "PATCH", "DELETE"}:
        _refuse_other_sites()
        texts += [*request.form.keys(), *(text for name, text in request.form.items() if "password" not in name)]
    if any("\x00" in text for text in texts):
        raise BadRequest


def _refuse_other_sites() -> None:
    """Believe the browser where it says that a form comes from elsewhere; the form's own token is asked for besides."""
    came_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    ours = origin is None or urlsplit(origin).netloc == request.host
    if came_from not in {"same-origin", "none"} or not ours:
        raise BadRequest
